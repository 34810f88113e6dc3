//! Loops that a shader marks are written out before a driver sees them: once per round, with a number in place of the
//! counter. Drivers unroll by different rules, and a row whose index stays a variable is kept in memory instead of
//! registers (`benches/RESULTS.md`).
//!
//! ```text
//! for (var r = 0u; r < ROWS; r++) { // written out               { x[0u] = f(0u); } { x[1u] = f(1u); }
//!     x[r] = f(r);                                         ->
//! }
//! ```
//!
//! Blocks that a shader marks are left out if their condition, a constant, is false, and so are functions that nothing
//! calls then: drivers drop them too, but take the time to read them.
//!
//! ```text
//! if RCOND { // left out if not                                  { sum(); }
//!     sum();                                                ->   or nothing
//! }
//! ```
//!
//! The bound is made of constants. A marked loop holds no `break` and no `continue`, and no loop within it counts by
//! the same name. A file with its marks is valid WGSL and means the same. `// written out if WIDE and
//! not RCOND` holds for variants in which the one constant is not zero and the other is zero or false. Lines keep their
//! numbers, so that an error names a line of the file.

use std::collections::HashMap;
use std::ops::Range;

const MARK: &str = "{ // written out";
const CONDITION_MARK: &str = "{ // left out if not";

/// The same program with its marked loops written out, and without its marked blocks whose condition is false and the
/// functions that nothing calls.
pub fn written_out(source: &str) -> String {
    let constants = Constants::of(source);
    let source = without_idle_functions(without_false_blocks(source, &constants));
    let mut text = String::with_capacity(4 * source.len());
    write_out(&source, &constants, &mut text);
    text
}

/// The same text without the marked blocks whose condition is false, with the same number of line breaks.
fn without_false_blocks(source: &str, constants: &Constants<'_>) -> String {
    let mut text = String::with_capacity(source.len());
    let mut rest = source;
    while let Some(found) = rest.find(CONDITION_MARK) {
        let line = rest[..found].rfind('\n').map_or(0, |end| end + 1);
        let after = &rest[found + 1..];
        let name = rest[line..found].trim().strip_prefix("if ").map(str::trim);
        let value = name.and_then(|name| match name.strip_prefix('!') {
            Some(name) => Some(constants.value(name)? == 0),
            None => Some(constants.value(name)? != 0),
        });
        if let (Some(false), Some(close)) = (value, closing_brace(after)) {
            text.push_str(&rest[..line]);
            text.extend(after[..close].matches('\n'));
            rest = &after[close + 1..];
        } else {
            text.push_str(&rest[..=found]);
            rest = after;
        }
    }
    text + rest
}

/// The same text without functions that no code outside of them names, with the same number of line breaks.
fn without_idle_functions(mut source: String) -> String {
    loop {
        let mut named: HashMap<&str, usize> = HashMap::new();
        for line in source.lines() {
            words(line.split("//").next().unwrap_or_default()).for_each(|word| *named.entry(word).or_default() += 1);
        }
        let (mut text, mut rest, mut entry) = (String::with_capacity(source.len()), &source[..], false);
        while let Some(end) = rest.find('\n') {
            let name = rest.strip_prefix("fn ").and_then(|head| head.split_once('('));
            let idle = name.is_some_and(|(name, _)| !entry && named.get(name) == Some(&1));
            let open = if idle { rest.find('{') } else { None };
            let close = open.and_then(|open| Some(open + 1 + closing_brace(&rest[open + 1..])?));
            let until = close.unwrap_or(end) + 1;
            match close {
                Some(_) => text.extend(rest[..until].matches('\n')),
                None => text.push_str(&rest[..until]),
            }
            entry = rest.starts_with('@');
            rest = &rest[until..];
        }
        text.push_str(rest);
        if text == source {
            return text;
        }
        source = text;
    }
}

/// Appends a text with its marked loops written out, and the same number of line breaks.
fn write_out(source: &str, constants: &Constants<'_>, text: &mut String) {
    let mut rest = source;
    while let Some(found) = rest.find(MARK) {
        let line = rest[..found].rfind('\n').map_or(0, |end| end + 1);
        let after = &rest[found + 1..];
        let end = after.find('\n').unwrap_or(after.len());
        let parts = Loop::parse(&rest[line..found], &after[..end], constants)
            .and_then(|head| Some((head, closing_brace(after)?)));
        let Some((head, close)) = parts else {
            text.push_str(&rest[..=found]);
            rest = after;
            continue;
        };
        text.push_str(&rest[..line]);
        let body = &after[end..close];
        for round in head.rounds.clone() {
            let mut copy = String::new();
            write_out(&with_number(body, head.counter, round), constants, &mut copy);
            // The first copy has the line breaks.
            let copy = if round == head.rounds.start { copy } else { on_one_line(&copy) };
            text.extend(["{", &copy, "}"]);
        }
        if head.rounds.is_empty() {
            text.extend(body.matches('\n'));
        }
        rest = &after[close + 1..];
    }
    text.push_str(rest);
}

/// The head of a marked loop.
struct Loop<'a> {
    counter: &'a str,
    /// The values of the counter.
    rounds: Range<u32>,
}

impl<'a> Loop<'a> {
    /// Reads `for (var c = START; c < BOUND; c++) ` and what follows the brace. `None` if it is not to be written out.
    fn parse(head: &'a str, comment: &str, constants: &Constants<'_>) -> Option<Self> {
        if let Some((_, condition)) = comment.split_once("written out if ") {
            let (wanted, unwanted) = condition.split_once(" and not ").unwrap_or((condition, "false"));
            (constants.value(wanted)? != 0 && constants.value(unwanted)? == 0).then_some(())?;
        }
        let inner = head.trim().strip_prefix("for (var ")?.strip_suffix("++)")?;
        let (counter, after) = inner.split_once(" = ")?;
        let (start, after) = after.split_once("; ")?;
        let (bound, last) = after.rsplit_once("; ")?;
        let bound = bound.strip_prefix(counter)?.strip_prefix(" < ")?;
        let names = counter.starts_with(|first: char| first.is_ascii_alphabetic());
        (names && last == counter).then_some(Self { counter, rounds: constants.value(start)?..constants.value(bound)? })
    }
}

/// The index of the brace that closes the block that a text begins in.
fn closing_brace(text: &str) -> Option<usize> {
    let mut depth = 1;
    let mut comment = false;
    for (index, byte) in text.bytes().enumerate() {
        match byte {
            b'\n' => comment = false,
            b'/' if text[index..].starts_with("//") => comment = true,
            b'{' if !comment => depth += 1,
            b'}' if !comment => depth -= 1,
            _ => {}
        }
        if depth == 0 {
            return Some(index);
        }
    }
    None
}

/// Copies a text with a number in place of a name.
fn with_number(text: &str, name: &str, number: u32) -> String {
    let mut copy = String::with_capacity(text.len());
    for word in words(text) {
        if word == name {
            copy.push_str(&format!("{number}u"));
        } else {
            copy.push_str(word);
        }
    }
    copy
}

/// Cuts a text into names or numbers, and single other characters.
fn words(text: &str) -> impl Iterator<Item = &str> {
    let of_name = |c: char| c.is_ascii_alphanumeric() || c == '_';
    let mut rest = text;
    std::iter::from_fn(move || {
        let first = rest.chars().next()?;
        let length = if of_name(first) { rest.find(|c| !of_name(c)).unwrap_or(rest.len()) } else { first.len_utf8() };
        let (word, after) = rest.split_at(length);
        rest = after;
        Some(word)
    })
}

/// Leaves out comments and line breaks.
fn on_one_line(text: &str) -> String {
    let code = text.lines().map(|line| line.split("//").next().unwrap_or_default().trim());
    format!(" {} ", code.filter(|line| !line.is_empty()).collect::<Vec<_>>().join(" "))
}

/// The constants of a program that are unsigned integers, by name, as the expressions that give them.
struct Constants<'a>(HashMap<&'a str, &'a str>);

impl<'a> Constants<'a> {
    fn of(source: &'a str) -> Self {
        let line = |line: &'a str| line.strip_prefix("const ")?.strip_suffix(';')?.split_once(" = ");
        Self(source.lines().filter_map(line).collect())
    }

    /// The value of an expression, if it is made of numbers, constants, + - * /, `min` and brackets. `counted` gives
    /// the number that it is given.
    fn value(&self, expression: &str) -> Option<u32> {
        let mut words = words(expression).filter(|word| !word.trim().is_empty()).peekable();
        let value = self.sum(&mut words)?;
        words.next().is_none().then_some(value)
    }

    fn sum<'b>(&self, words: &mut std::iter::Peekable<impl Iterator<Item = &'b str>>) -> Option<u32> {
        let mut value = self.product(words)?;
        while let Some(sign) = words.next_if(|word| ["+", "-"].contains(word)) {
            let right = self.product(words)?;
            value = if sign == "+" { value.checked_add(right)? } else { value.checked_sub(right)? };
        }
        Some(value)
    }

    fn product<'b>(&self, words: &mut std::iter::Peekable<impl Iterator<Item = &'b str>>) -> Option<u32> {
        let mut value = self.term(words)?;
        while let Some(sign) = words.next_if(|word| ["*", "/"].contains(word)) {
            let right = self.term(words)?;
            value = if sign == "*" { value.checked_mul(right)? } else { value.checked_div(right)? };
        }
        Some(value)
    }

    fn term<'b>(&self, words: &mut std::iter::Peekable<impl Iterator<Item = &'b str>>) -> Option<u32> {
        match words.next()? {
            "counted" => self.term(words),
            "min" => {
                let first = (words.next()? == "(").then(|| self.sum(words))??;
                let second = (words.next()? == ",").then(|| self.sum(words))??;
                (words.next()? == ")").then_some(first.min(second))
            }
            "true" => Some(1),
            "false" => Some(0),
            "(" => {
                let value = self.sum(words)?;
                (words.next()? == ")").then_some(value)
            }
            word => match word.strip_suffix('u').unwrap_or(word).parse() {
                Ok(value) => Some(value),
                Err(_) => self.value(self.0.get(word)?),
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const CONSTANTS: &str = "const N = 3u;\nconst WIDE = 0u;\nconst YES = true;\nconst PAIRS = (N + 1u) / 2u;\n";

    fn of(text: &str) -> String {
        let text = written_out(&format!("{text}{CONSTANTS}"));
        text.strip_suffix(CONSTANTS).unwrap().to_owned()
    }

    #[test]
    fn a_loop_is_written_out() {
        let text = "for (var r = 0u; r < PAIRS; r++) { // written out
    // Row r.
    row[r] = r + error; // all
}
last();
";
        let wanted = "{
    // Row 0u.
    row[0u] = 0u + error; // all
}{ row[1u] = 1u + error; }
last();
";
        assert_eq!(of(text), wanted);
    }

    /// The bounds of an inner loop may depend on the counter of the outer one.
    #[test]
    fn loops_within_loops() {
        let text = "for (var i = 1u; i < N; i++) { // written out
for (var j = i; j < counted(N); j++) { // written out
if a { f(i, j); }
}
}
";
        let calls = |text: &str| text.split("f(").skip(1).map(|call| call[..6].to_owned()).collect::<Vec<_>>();
        let out = of(text);
        assert_eq!(calls(&out), ["1u, 1u", "1u, 2u", "2u, 2u"]);
        assert_eq!(out.lines().count(), text.lines().count());
    }

    #[test]
    fn what_is_not_marked_stays() {
        for text in [
            "for (var r = 0u; r < N; r++) {\n    f(r);\n}\n",
            "for (var r = 0u; r < N; r++) { // written out if WIDE\n    f(r);\n}\n",
            "for (var r = 0u; r < unknown; r++) { // written out\n    f(r);\n}\n",
            "for (var r = 0u; r < N; r += 2u) { // written out\n    f(r);\n}\n",
        ] {
            assert_eq!(of(text), text);
        }
        assert_eq!(of("for (var r = N; r < N; r++) { // written out\n    f(r);\n}\n"), "\n\n\n");
        for (condition, rounds) in [("PAIRS", 3), ("PAIRS and not YES", 1), ("PAIRS and not WIDE", 3)] {
            let text = format!("for (var r = 0u; r < N; r++) {{ // written out if {condition}\n    f(r);\n}}\n");
            assert_eq!(of(&text).matches("f(").count(), rounds, "{condition}");
        }
    }

    #[test]
    fn a_block_whose_condition_is_false_is_left_out() {
        let block = |condition| format!("if {condition} {{ // left out if not\n    f();\n}}\nlast();\n");
        for condition in ["WIDE", "!YES", "!N"] {
            assert_eq!(of(&block(condition)), "\n\n\nlast();\n", "{condition}");
        }
        for condition in ["YES", "N", "!WIDE", "unknown", "N > 4u"] {
            assert_eq!(of(&block(condition)), block(condition), "{condition}");
        }
    }

    /// One after the other, if one calls the other; entry points stay.
    #[test]
    fn functions_that_nothing_calls_are_left_out() {
        let text = "@compute\nfn main() {\n    // idle();\n    called();\n}\nfn called() {}\nfn also_idle() {\n}\n
fn idle(x: u32) {\n    if x > 0u { also_idle(); }\n}\nconst LAST = 0u;\n";
        let wanted =
            "@compute\nfn main() {\n    // idle();\n    called();\n}\nfn called() {}\n\n\n\n\n\n\nconst LAST = 0u;\n";
        assert_eq!(of(text), wanted);
    }

    #[test]
    fn expressions() {
        let constants = Constants::of(CONSTANTS);
        for (expression, value) in [
            ("PAIRS", Some(2)),
            ("N + 2u * (N - 1u)", Some(7)),
            ("2u - N", None),
            ("N / WIDE", None),
            ("N +", None),
            ("counted(N)", Some(3)),
            ("min(4u, N - 1u) * 2u", Some(4)),
            ("min(4u)", None),
            ("N N", None),
        ] {
            assert_eq!(constants.value(expression), value, "{expression}");
        }
    }
}
