//! A row of the capability table: what each source says of a family of models.
//!
//! A fact stands with its source, and what no source says stands nowhere: it is unknown, and what is unknown is neither
//! assumed nor withheld.

use super::source::Source;

/// A family of models.
#[derive(Clone, Copy, Debug)]
pub(super) struct Row {
    /// How it is called, the first name being the one that is shown.
    pub(super) names: &'static [&'static str],
    /// Its weights are to be had, and others give their own makings names with its name in them.
    pub(super) is_open: bool,
    /// What is known, the source that counts most first.
    said: [Option<Said>; MOST_SOURCES],
}

/// Most sources of a row.
const MOST_SOURCES: usize = 6;

/// What one source says.
#[derive(Clone, Copy, Debug)]
pub(super) struct Said {
    pub(super) source: &'static Source,
    /// Most input tokens.
    pub(super) window: Option<u64>,
    /// Most output tokens.
    pub(super) answers: Option<u64>,
    pub(super) can: &'static [Word],
    pub(super) cannot: &'static [Word],
    /// In the words of `spec.capabilities.reasoningEfforts`.
    pub(super) efforts: &'static [&'static str],
    /// The effort with which it thinks unasked.
    pub(super) unasked: Option<&'static str>,
    /// The least and the most budget for reasoning, tokens.
    pub(super) budget: Option<(u64, u64)>,
    /// Nothing is seen while it thinks.
    pub(super) is_silent: bool,
    /// The shortest prompt that is cached, tokens.
    pub(super) caches_from: Option<u64>,
}

/// Something that not every model can do, or takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Word {
    Tools,
    Vision,
    Reasoning,
    ReasoningBudget,
    Audio,
    Documents,
    StructuredOutput,
    Sampling,
    SamplingWithReasoning,
    ForcedTools,
    Prefill,
    Stop,
    ThinkingOff,
}

impl Word {
    /// Those of which a model is said to have all that are listed, and no others.
    pub(super) const FEATURES: [Self; 4] = [Self::Tools, Self::Vision, Self::Reasoning, Self::ReasoningBudget];

    /// All, in the order in which they are told.
    pub(super) const ALL: [Self; 13] = [
        Self::Tools,
        Self::Vision,
        Self::Reasoning,
        Self::ReasoningBudget,
        Self::Audio,
        Self::Documents,
        Self::StructuredOutput,
        Self::Sampling,
        Self::SamplingWithReasoning,
        Self::ForcedTools,
        Self::Prefill,
        Self::Stop,
        Self::ThinkingOff,
    ];

    /// As `spec.capabilities` spells it.
    pub(super) const fn as_str(self) -> &'static str {
        match self {
            Self::Tools => "Tools",
            Self::Vision => "Vision",
            Self::Reasoning => "Reasoning",
            Self::ReasoningBudget => "ReasoningBudget",
            Self::Audio => "Audio",
            Self::Documents => "Documents",
            Self::StructuredOutput => "StructuredOutput",
            Self::Sampling => "Sampling",
            Self::SamplingWithReasoning => "SamplingWithReasoning",
            Self::ForcedTools => "ForcedTools",
            Self::Prefill => "Prefill",
            Self::Stop => "Stop",
            Self::ThinkingOff => "ThinkingOff",
        }
    }
}

/// A fact, and who says so.
pub(super) type Fact<T> = (T, &'static Source);

impl Row {
    pub(super) fn said(&self) -> impl Iterator<Item = &Said> {
        self.said.iter().flatten()
    }

    /// The first that a source says.
    pub(super) fn first<T>(&self, fact: impl Fn(&Said) -> Option<T>) -> Option<Fact<T>> {
        self.said().find_map(|said| Some((fact(said)?, said.source)))
    }

    /// Whether models of it can do this, or take it.
    pub(super) fn can(&self, word: Word) -> Option<Fact<bool>> {
        self.first(|said| {
            let is_among = |words: &[Word]| words.contains(&word);
            is_among(said.can)
                .then_some(true)
                .or_else(|| is_among(said.cannot).then_some(false))
        })
    }
}

/// What only its maker serves under this name.
pub(super) const fn row<const N: usize>(names: &'static [&'static str], said: [Said; N]) -> Row {
    let mut row = Row {
        names,
        is_open: false,
        said: [None; MOST_SOURCES],
    };
    let mut at = 0;
    while at < N {
        row.said[at] = Some(said[at]);
        at += 1;
    }
    row
}

/// What everybody may serve, and change.
pub(super) const fn open<const N: usize>(names: &'static [&'static str], said: [Said; N]) -> Row {
    Row {
        is_open: true,
        ..row(names, said)
    }
}

/// The beginning of what a source says.
pub(super) const fn by(source: &'static Source) -> Said {
    Said {
        source,
        window: None,
        answers: None,
        can: &[],
        cannot: &[],
        efforts: &[],
        unasked: None,
        budget: None,
        is_silent: false,
        caches_from: None,
    }
}

impl Said {
    pub(super) const fn window(mut self, tokens: u64) -> Self {
        self.window = Some(tokens);
        self
    }

    pub(super) const fn answers(mut self, most: u64) -> Self {
        self.answers = Some(most);
        self
    }

    pub(super) const fn can(mut self, words: &'static [Word]) -> Self {
        self.can = words;
        self
    }

    pub(super) const fn cannot(mut self, words: &'static [Word]) -> Self {
        self.cannot = words;
        self
    }

    pub(super) const fn efforts(mut self, words: &'static [&'static str]) -> Self {
        self.efforts = words;
        self
    }

    pub(super) const fn unasked(mut self, effort: &'static str) -> Self {
        self.unasked = Some(effort);
        self
    }

    pub(super) const fn budgets(mut self, least: u64, most: u64) -> Self {
        self.budget = Some((least, most));
        self
    }

    pub(super) const fn silent(mut self) -> Self {
        self.is_silent = true;
        self
    }

    pub(super) const fn caches_from(mut self, tokens: u64) -> Self {
        self.caches_from = Some(tokens);
        self
    }
}
