//! The imports between the files of a crate, and their faults.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::path::PathBuf;

use super::paths::{File, Path};

/// The files of a crate and the imports between them.
pub struct Crate {
    files: Vec<File>,
    imports: Vec<Import>,
}

/// The first path in a file that names an item of another.
struct Import {
    from: usize,
    to: usize,
    line: usize,
    written: String,
    /// The name after the module, if the path goes on.
    item: Option<String>,
    /// The file only re-exports the item, from a module of its own.
    facade: bool,
}

/// The file that gives the items of one platform's modules. Others may import from it, and it imports what it gives.
fn chooses_platform(file: &str) -> bool {
    file.ends_with("gpu/platform.rs")
}

impl Crate {
    /// Reads the sources in a folder of the package, where Cargo runs tests, without one folder inside it.
    pub fn read(root: &str, without: &str) -> Self {
        let (mut folders, mut texts) = (vec![PathBuf::from(root)], Vec::new());
        while let Some(folder) = folders.pop() {
            for entry in std::fs::read_dir(folder).expect("a folder of sources") {
                let path = entry.expect("an entry").path();
                let name = path.strip_prefix(root).expect("a path below the root").display().to_string();
                if path.is_dir() && name != without {
                    folders.push(path);
                } else if name.ends_with(".rs") {
                    let text = std::fs::read_to_string(path).expect("a readable source");
                    texts.push((name.replace('\\', "/"), text));
                }
            }
        }
        texts.sort();
        let mut found = Self::new(&texts.iter().map(|(name, text)| (&**name, &**text)).collect::<Vec<_>>());
        found.files.iter_mut().for_each(|file| file.name = format!("{root}/{}", file.name));
        found
    }

    /// A crate of files with these names and texts.
    pub fn new(texts: &[(&str, &str)]) -> Self {
        let files = texts.iter().map(|(name, text)| File::new(name, text)).collect();
        let found = Self { files, imports: Vec::new() };
        let mut imports = BTreeMap::new();
        for (from, file) in found.files.iter().enumerate() {
            for path in &file.paths {
                let absolute = found.absolute(file, path);
                if let Some((to, depth)) = found.target(&absolute).filter(|&(to, _)| to != from) {
                    let inner = found.files[to].module.starts_with(&file.module);
                    let facade = path.only_reexported && inner && !chooses_platform(&file.name);
                    let (line, written, item) = (path.line, path.segments.join("::"), absolute.get(depth).cloned());
                    let import = Import { from, to, line, written, item, facade };
                    imports.entry((from, to, import.item.clone(), facade)).or_insert(import);
                }
            }
        }
        Self { imports: imports.into_values().collect(), ..found }
    }

    /// The same path written from `crate`, or from the name of another crate.
    fn absolute(&self, file: &File, path: &Path) -> Vec<String> {
        let (mut scope, mut segments) = (&path.scope[..], path.segments.clone());
        // An imported name stands for a path, which may begin with an imported name itself.
        for _ in 0..8 {
            let first = &segments[0];
            if first == "self" || first == "super" {
                let prefix = segments.iter().take_while(|&name| name == "super" || name == "self").count();
                let up = segments[..prefix].iter().filter(|&name| name == "super").count();
                return [&scope[..scope.len().saturating_sub(up)], &segments[prefix..]].concat();
            }
            let mut scopes = (file.module.len()..=scope.len()).rev().map(|depth| &scope[..depth]);
            if let Some(parent) = scopes.find(|parent| self.file(&[parent, &segments[..1]].concat()).is_some()) {
                return [parent, &segments].concat();
            }
            let mut imports = file.paths.iter().filter(|import| import.binds.as_ref() == Some(first));
            let Some(import) = imports.find(|import| import.segments != [first.clone()]) else { break };
            scope = &import.scope;
            segments.splice(..1, import.segments.iter().cloned());
        }
        segments
    }

    /// The file of the longest module prefix, and how many names that prefix has.
    fn target(&self, absolute: &[String]) -> Option<(usize, usize)> {
        (1..=absolute.len()).rev().find_map(|depth| Some((self.file(&absolute[..depth])?, depth)))
    }

    fn file(&self, module: &[String]) -> Option<usize> {
        self.files.iter().position(|file| file.module == module)
    }

    /// Every import that is no mere re-export.
    pub fn imports(&self) -> Vec<String> {
        self.imports.iter().filter(|import| !import.facade).map(|import| self.show(import)).collect()
    }

    fn show(&self, import: &Import) -> String {
        let [from, to] = [import.from, import.to].map(|file| &self.files[file].name);
        format!("{from}:{} -> {to}: `{}`", import.line, import.written)
    }

    /// The shortest circle through each file that lies on one, the shortest of all first.
    pub fn circles(&self) -> Vec<String> {
        let mut circles = BTreeMap::new();
        for circle in (0..self.files.len()).filter_map(|file| self.circle_through(file)) {
            let mut members: Vec<_> = circle.iter().map(|step| step.from).collect();
            members.sort();
            circles.entry((members.len(), members)).or_insert(circle);
        }
        let shown = circles.values().map(|circle| {
            let names = circle.iter().chain(circle.first()).map(|step| &*self.files[step.from].name);
            let steps: String = circle.iter().map(|step| format!("\n    {}", self.show(step))).collect();
            let advice = "move the item that closes the circle into a file below the others";
            format!("{}: {advice}{steps}", names.collect::<Vec<_>>().join(" -> "))
        });
        shown.collect()
    }

    fn circle_through(&self, start: usize) -> Option<Vec<&Import>> {
        let (mut seen, mut routes) = (BTreeSet::new(), VecDeque::from([vec![]]));
        while let Some(route) = routes.pop_front() {
            let end = route.last().map_or(start, |step: &&Import| step.to);
            if end == start && !route.is_empty() {
                return Some(route);
            }
            for step in self.imports.iter().filter(|import| import.from == end && !import.facade) {
                if seen.insert(step.to) {
                    routes.push_back([&route[..], &[step]].concat());
                }
            }
        }
        None
    }

    /// Files outside every layer, and imports from layers that the importing layer may not import.
    pub fn upward(&self, layers: &[(&str, &[&str])]) -> Vec<String> {
        let mut faults = Vec::new();
        for file in self.files.iter().filter(|file| file.layer() != "lib.rs") {
            if !layers.iter().any(|&(layer, _)| layer == file.layer()) {
                faults.push(format!("{}: in no layer: move it into one, or add its layer to LAYERS", file.name));
            }
        }
        for import in &self.imports {
            let [from, to] = [import.from, import.to].map(|file| self.files[file].layer());
            let Some((_, below)) = layers.iter().find(|&&(layer, _)| layer == from) else { continue };
            if from != to && to != "lib.rs" && !below.contains(&to) {
                let advice =
                    format!("`{from}` may import {below:?}: move the item down, or have the caller pass it in");
                faults.push(format!("{}: {advice}", self.show(import)));
            }
        }
        faults
    }

    /// Imports that name the crate's root, or a facade, instead of the module that defines the item.
    pub fn indirect(&self) -> Vec<String> {
        let mut faults = Vec::new();
        for import in self.imports.iter().filter(|import| !chooses_platform(&self.files[import.to].name)) {
            let (to, item) = (&self.files[import.to], import.item.as_deref().unwrap_or("*"));
            if let Some(path) = self.reexport(to, item) {
                faults.push(format!("{}: name `{path}`, which defines it", self.show(import)));
            } else if to.module.len() == 1 {
                faults.push(format!("{}: name the module that defines it, not the root", self.show(import)));
            }
        }
        faults
    }

    /// The path from which a file imports an item that it does not define.
    fn reexport(&self, file: &File, item: &str) -> Option<String> {
        let paths = file.paths.iter().filter(|path| path.scope == file.module && !file.items.contains(item));
        paths.filter(|path| path.binds.is_some()).find_map(|path| {
            let mut absolute = self.absolute(file, path);
            if path.binds.as_deref() == Some("*") {
                *absolute.last_mut()? = item.into();
                let (to, depth) = self.target(&absolute)?;
                (depth + 1 == absolute.len() && self.files[to].items.contains(item)).then(|| absolute.join("::"))
            } else {
                (path.binds.as_deref() == Some(item)).then(|| absolute.join("::"))
            }
        })
    }

    /// Paths of one kind outside the layers where they belong.
    pub fn misplaced(&self, layers: &[&str], kind: impl Fn(&Path) -> bool, advice: &str) -> Vec<String> {
        let files = self.files.iter().filter(|file| !layers.contains(&file.layer()));
        let paths = files.flat_map(|file| file.paths.iter().map(move |path| (&file.name, path)));
        let misplaced = paths.filter(|(_, path)| kind(path));
        misplaced
            .map(|(name, path)| format!("{name}:{}: `{}`: {advice}", path.line, path.segments.join("::")))
            .collect()
    }
}
