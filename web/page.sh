#!/usr/bin/env bash
# Puts the page together, as static files for any web server:
#
#   web/page.sh PACKAGE FOLDER     from the package that web/build.sh built
#
# It takes gl-matrix from npm (`npm ci` in web/), for the comparison at order 4.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
package=$1 folder=$2

rm -rf "$folder"
mkdir -p "$folder/package" "$folder/gl-matrix"
cp "$here"/page/* "$folder/"
cp -r "$package"/* "$folder/package/"
cp "$here"/node_modules/gl-matrix/esm/{common,mat4}.js "$here/node_modules/gl-matrix/LICENSE.md" "$folder/gl-matrix/"
