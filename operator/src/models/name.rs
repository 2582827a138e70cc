//! How models are called, and which of the names stand for one.

/// Words before the name of open weights, where whoever serves them puts some before it.
const SERVED: [&str; 3] = ["databricks-", "databricks-meta-", "meta-"];

/// What a provider calls a model.
#[derive(Debug)]
pub(super) struct Name {
    /// Without the organisation before it.
    spelt: String,
    /// Where a maker's part ends and the name may begin, on Bedrock: `eu.anthropic.claude-…`.
    parts: Vec<usize>,
}

impl Name {
    pub(super) fn of(name: &str) -> Self {
        // `org/name`, `models/name`, `arn:…/name`.
        let model = name.rsplit('/').next().unwrap_or(name);
        let dots = model.match_indices('.').map(|(at, _)| at + 1);
        let parts = dots.filter_map(|at| Some(spelt(model.get(..at)?).len())).collect();
        Self {
            spelt: spelt(model),
            parts,
        }
    }

    /// Whether it is one of the family, spelt as [`spelt`] does. Names of open weights are also part of the names of what
    /// others make of them, which are no such models.
    pub(super) fn belongs_to(&self, family: &str, is_open: bool) -> bool {
        let starts = self.spelt.match_indices('-').map(|(at, _)| at + 1);
        let mut starts = std::iter::once(0)
            .chain(starts)
            .filter(|&at| !is_open || self.may_begin(at));
        starts.any(|at| {
            let model = self.spelt.get(at..).unwrap_or_default();
            model.strip_prefix(family).is_some_and(ends_family)
        })
    }

    fn may_begin(&self, at: usize) -> bool {
        at == 0 || self.parts.contains(&at) || self.spelt.get(..at).is_some_and(|before| SERVED.contains(&before))
    }
}

/// In lower case, with hyphens between words, and between the name and the numbers of a version: `Llama-3.3` and
/// `llama3.3` are one.
pub(super) fn spelt(name: &str) -> String {
    let name = name.to_ascii_lowercase().replace('+', "-plus");
    let mut spelt = String::with_capacity(name.len() + 4);
    let mut rest = name.chars().peekable();
    while let Some(letter) = rest.next() {
        let before = spelt.chars().next_back().unwrap_or('-');
        let next = rest.peek().copied().unwrap_or('-');
        match letter {
            '.' | '_' | ' ' => spelt.push('-'),
            // `v3p3`
            'p' if before.is_ascii_digit() && next.is_ascii_digit() => spelt.push('-'),
            digit if digit.is_ascii_digit() && before.is_ascii_alphabetic() => {
                spelt.push('-');
                spelt.push(digit);
            }
            other => spelt.push(other),
        }
    }
    spelt
}

/// Whether what follows a family's name still names one of that family: a date, a variant, a size, a cloud's revision, but
/// not another version.
fn ends_family(rest: &str) -> bool {
    let Some(rest) = rest.strip_prefix(['-', '@', ':']) else {
        return rest.is_empty();
    };
    let digits = rest.bytes().take_while(u8::is_ascii_digit).count();
    let behind = rest.get(digits..).unwrap_or_default();
    let is_word = behind.starts_with(|next: char| next.is_ascii_alphabetic());
    match digits {
        1 | 2 => is_word || is_month(digits, behind),
        // `001` is a revision.
        3 => is_word || rest.starts_with('0'),
        // Dates have four digits or more: 0613, 2411, 20250929.
        _ => true,
    }
}

/// `08-2024`.
fn is_month(digits: usize, behind: &str) -> bool {
    let year = behind.strip_prefix('-').unwrap_or_default();
    digits == 2 && year.bytes().take_while(u8::is_ascii_digit).count() == 4
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_model_is_spelt_in_one_way() {
        for (name, expected) in [
            ("Llama-3.3", "llama-3-3"),
            ("llama3.3", "llama-3-3"),
            ("llama-v3p3", "llama-v-3-3"),
            ("gpt-4o", "gpt-4o"),
            ("o3", "o-3"),
            ("command-r+", "command-r-plus"),
            ("kimi-k2p5", "kimi-k-2-5"),
            ("nova-pro-v1:0", "nova-pro-v-1:0"),
            ("deepseek-v3.1", "deepseek-v-3-1"),
        ] {
            assert_eq!(spelt(name), expected, "{name}");
        }
    }
}
