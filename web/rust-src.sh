#!/usr/bin/env bash
# Fetches the source of the standard library for machines on which rustup cannot add a target:
#
#   web/rust-src.sh FOLDER      prints the folder to give to web/build.sh as RUST_SRC
#
# Debian's package rust-src of the very version of rustc stands in the backports of the release after bookworm. They
# are reached through a private copy of the machine's own apt sources with the suite's name changed; nothing of the
# machine's apt changes, and nothing is installed.
set -euo pipefail

folder=$(mkdir -p "$1" && cd "$1" && pwd)
version=$(rustc --version | cut -d ' ' -f 2)
library=$folder/usr/src/rustc-$version
suite=trixie-backports
if [ -d "$library/library/std" ]; then
    echo "$library"
    exit
fi

apt=$folder/apt
mkdir -p "$apt/lists/partial" "$apt/cache/archives/partial" "$apt/sources"
# The first source of the main archive, with the other suite. Sources come in either of apt's two formats.
for file in /etc/apt/sources.list /etc/apt/sources.list.d/*; do
    if [ ! -f "$file" ]; then continue; fi
    case $file in
        *.sources)
            awk -v RS= '/(^|\n)Suites: *(bookworm|trixie)([ \n]|$)/ { print; exit }' "$file" |
                sed "s/^Suites:.*/Suites: $suite/" >"$apt/sources/backports.sources"
            ;;
        *.list | */sources.list)
            sed -nE "/^deb .* (bookworm|trixie) /{s/ (bookworm|trixie) / $suite /p;q}" "$file" \
                >"$apt/sources/backports.list"
            ;;
        *) continue ;;
    esac
    for found in "$apt"/sources/*; do
        if [ -s "$found" ]; then break 2; fi
        rm -f "$found"
    done
done
options=(
    -o Dir::Etc::sourcelist=/dev/null -o "Dir::Etc::sourceparts=$apt/sources"
    -o "Dir::State::lists=$apt/lists" -o "Dir::Cache=$apt/cache" -o APT::Sandbox::User=root
)
apt-get "${options[@]}" --quiet=2 update >&2
package=$(apt-cache "${options[@]}" madison rust-src | awk -v v="$version" 'index($3, v "+") == 1 { print $3; exit }')
if [ -z "$package" ]; then
    echo "there is no package rust-src of version $version in $suite" >&2
    exit 1
fi
(cd "$apt/cache" && apt-get "${options[@]}" --quiet=2 download "rust-src=$package" >&2)
dpkg-deb --extract "$apt"/cache/rust-src_*.deb "$folder"
rm -r "$apt"
echo "$library"
