//! Unit vectors that follow from a text.

/// The vector of `input`.
pub(crate) fn of(input: &str, size: usize) -> Vec<f32> {
    let mut bytes = vec![0; size];
    blake3::Hasher::new()
        .update(input.as_bytes())
        .finalize_xof()
        .fill(&mut bytes);
    let raw: Vec<f32> = bytes.into_iter().map(|byte| f32::from(byte) - 127.5).collect();
    let length = raw.iter().map(|value| value * value).sum::<f32>().sqrt();
    raw.into_iter().map(|value| value / length).collect()
}
