//! Finds every path in the tokens of a source file, and so none in comments, strings or docs.

use std::collections::BTreeSet;

use proc_macro2::{Delimiter, Spacing, TokenStream, TokenTree};

/// The paths and definitions in one source file.
pub struct File {
    pub name: String,
    /// `crate` and the modules below it.
    pub module: Vec<String>,
    pub paths: Vec<Path>,
    /// Items outside blocks and inline modules.
    pub items: BTreeSet<String>,
}

/// A path as written. A single name counts if a `use` declaration imports it or if it calls a macro.
#[derive(Clone)]
pub struct Path {
    pub segments: Vec<String>,
    /// The module around the path, inline modules included.
    pub scope: Vec<String>,
    pub line: usize,
    /// Inside a `#[cfg(test)]` module.
    pub in_test: bool,
    /// The name that a `use` declaration gives to the path.
    pub binds: Option<String>,
    /// The file re-exports the name and does not use it.
    pub only_reexported: bool,
}

impl File {
    pub fn new(name: &str, text: &str) -> Self {
        let parts = name.trim_end_matches(".rs").split('/').filter(|part| !["lib", "main", "mod"].contains(part));
        let module: Vec<_> = std::iter::once("crate").chain(parts).map(String::from).collect();
        let mut tokens = Vec::new();
        flatten(text.parse().unwrap_or_else(|error| panic!("{name}: {error}")), &mut tokens);
        let mut reader = Reader { tokens, at: 0, inline: vec![], module, paths: vec![], items: BTreeSet::new() };
        reader.read();
        let Reader { tokens, module, mut paths, items, .. } = reader;
        for path in &mut paths {
            // Elsewhere, a name before `::` begins a path of its own, and one after a dot is another.
            let mentions = tokens.windows(3).filter(|around| {
                let [before, name, after] = [0, 1, 2].map(|at| around[at].0.as_str());
                Some(name) == path.binds.as_deref() && !["mod", "."].contains(&before) && after != "::"
            });
            path.only_reexported &= path.binds.as_deref() == Some("*") || mentions.count() == 1;
        }
        Self { name: name.into(), module, paths, items }
    }

    /// The top module around the file, or `lib.rs` for the root.
    pub fn layer(&self) -> &str {
        self.module.get(1).map_or("lib.rs", |name| name)
    }
}

/// The text of a token and its line.
type Token = (String, usize);

/// A colon that another one may follow at once.
const HALF: &str = ":+";

/// Lists all tokens, delimiters included. `::` is one token.
fn flatten(stream: TokenStream, tokens: &mut Vec<Token>) {
    for tree in stream {
        let line = tree.span().start().line;
        match tree {
            TokenTree::Group(group) => {
                let [open, close] = match group.delimiter() {
                    Delimiter::Parenthesis => ["(", ")"],
                    Delimiter::Brace => ["{", "}"],
                    Delimiter::Bracket => ["[", "]"],
                    Delimiter::None => ["", ""],
                };
                tokens.push((open.into(), line));
                flatten(group.stream(), tokens);
                tokens.push((close.into(), line));
            }
            TokenTree::Punct(colon) if colon.as_char() == ':' => match tokens.last_mut() {
                Some((half, _)) if half == HALF => *half = "::".into(),
                _ if colon.spacing() == Spacing::Joint => tokens.push((HALF.into(), line)),
                _ => tokens.push((":".into(), line)),
            },
            tree => tokens.push((tree.to_string(), line)),
        }
    }
}

struct Reader {
    tokens: Vec<Token>,
    at: usize,
    /// The inline modules around `at`: the depth of each, its name, and whether it is `#[cfg(test)]`.
    inline: Vec<(usize, String, bool)>,
    module: Vec<String>,
    paths: Vec<Path>,
    items: BTreeSet<String>,
}

impl Reader {
    fn read(&mut self) {
        let mut depth = 0;
        while self.at < self.tokens.len() {
            match self.text(0) {
                "{" | "(" | "[" => depth += 1,
                "}" | ")" | "]" => {
                    depth -= 1;
                    self.inline.retain(|&(outside, ..)| outside < depth);
                }
                // `pub(in path)` imports nothing.
                "in" if self.text(-1) == "(" => self.at += 1,
                "use" if self.text(1) != "<" => {
                    let public = self.text(-1) == "pub" || self.text(-1) == ")" && self.text(-3) == "(";
                    self.at += 1;
                    self.declaration(vec![], public);
                }
                "fn" | "struct" | "enum" | "trait" | "const" | "static" | "type" | "union" if depth == 0 => {
                    self.define(1)
                }
                "macro_rules" if depth == 0 => self.define(2),
                "mod" => {
                    if depth == 0 {
                        self.define(1);
                    }
                    let before = &self.tokens[..self.at];
                    let attribute = before.iter().rposition(|(text, _)| text == "#").unwrap_or(self.at);
                    let test = self.text(-1) == "]" && before[attribute..].iter().any(|(text, _)| text == "test");
                    if self.text(2) == "{" {
                        self.inline.push((depth, self.text(1).into(), test));
                    }
                }
                _ if self.text(-1) != "::" => {
                    let names = self.names();
                    if names.len() > 1 || names.iter().any(|name| name.ends_with('!')) {
                        self.record(names, None, false, self.at);
                    }
                }
                _ => {}
            }
            self.at += 1;
        }
    }

    /// The text of the token at a distance from the current one.
    fn text(&self, distance: isize) -> &str {
        let token = self.at.checked_add_signed(distance).and_then(|at| self.tokens.get(at));
        token.map_or("", |(text, _)| text)
    }

    fn is_name(&self, distance: isize) -> bool {
        self.text(distance).starts_with(|first: char| first.is_alphabetic() || first == '_')
    }

    fn define(&mut self, distance: isize) {
        let name = self.text(distance).to_string();
        self.items.insert(name);
    }

    /// The names of the path that begins here, the last with `!` if the path calls a macro.
    fn names(&self) -> Vec<String> {
        let mut names = Vec::new();
        let mut distance = 0;
        while self.is_name(distance) {
            names.push(self.text(distance).to_string());
            if self.text(distance + 1) == "!" && self.text(distance + 2) != "=" {
                names.last_mut().expect("a name").push('!');
            }
            distance += if self.text(distance + 1) == "::" { 2 } else { return names };
        }
        names
    }

    /// Reads one tree of a `use` declaration, to the comma, brace or semicolon after it.
    fn declaration(&mut self, mut segments: Vec<String>, public: bool) {
        let (start, mut binds) = (self.at, None);
        while self.at < self.tokens.len() {
            match self.text(0) {
                "{" => {
                    while !["}", ""].contains(&self.text(0)) {
                        self.at += 1;
                        self.declaration(segments.clone(), public);
                    }
                    self.at += 1;
                    return;
                }
                "::" | "$" => {}
                "as" => binds = Some(self.text(1).to_string()),
                "*" => segments.push("*".into()),
                "self" if !segments.is_empty() => {}
                name if self.is_name(0) => {
                    if binds.is_none() {
                        segments.push(name.into());
                    }
                }
                _ => break,
            }
            self.at += 1;
        }
        if self.at > start
            && let Some(last) = segments.last()
        {
            let name = binds.unwrap_or_else(|| last.clone());
            self.record(segments, Some(name), public, self.at - 1);
        }
    }

    fn record(&mut self, segments: Vec<String>, binds: Option<String>, only_reexported: bool, at: usize) {
        let scope = self.module.iter().chain(self.inline.iter().map(|(_, name, _)| name)).cloned().collect();
        let in_test = self.inline.iter().any(|&(.., test)| test);
        let (_, line) = self.tokens[at];
        self.paths.push(Path { segments, scope, line, in_test, binds, only_reexported });
    }
}
