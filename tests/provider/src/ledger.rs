//! What a provider would put on the invoice.

/// Tokens of one request, in one meaning for both shapes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tokens {
    /// All input, cached or not.
    pub input: u64,
    /// Of `input`: read from the prompt cache.
    pub cached_input: u64,
    /// Of `input`: written to the prompt cache.
    pub cache_write_input: u64,
    /// All output, reasoning included.
    pub output: u64,
    /// Of `output`: reasoning.
    pub reasoning: u64,
}

/// One line of the invoice: a request that reached a model.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Bill {
    /// The request's number in order of arrival, from 0.
    pub request: usize,
    /// The model that ran, as the request named it.
    pub model: String,
    /// What was asked for and, had the client stayed, would have been made.
    pub whole: Tokens,
    /// Output tokens that were made before the answer ended or the client left; what the provider charges.
    pub output_made: u64,
}
