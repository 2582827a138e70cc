//! Figures, the goals they are held against, and the table they are shown in.

use std::time::Duration;

/// Seconds, or whatever else, one for each time it was measured.
#[derive(Clone, Debug, Default)]
pub(crate) struct Samples(Vec<f64>);

impl Samples {
    pub(crate) fn add(&mut self, time: Duration) {
        self.0.push(time.as_secs_f64() * 1000.0);
    }

    /// The value below which `percent` of them are.
    pub(crate) fn percentile(&self, percent: usize) -> f64 {
        let mut sorted = self.0.clone();
        sorted.sort_by(f64::total_cmp);
        let index = (sorted.len() * percent).div_ceil(100).saturating_sub(1);
        sorted.get(index).copied().unwrap_or(f64::NAN)
    }
}

/// One line of the table.
#[derive(Clone, Debug)]
pub(crate) struct Figure {
    pub(crate) what: &'static str,
    pub(crate) value: f64,
    pub(crate) unit: &'static str,
    /// What it must not exceed.
    pub(crate) goal: Option<f64>,
}

impl Figure {
    pub(crate) fn new(what: &'static str, value: f64, unit: &'static str, goal: Option<f64>) -> Self {
        Self {
            what,
            value,
            unit,
            goal,
        }
    }

    /// A figure that could not be had misses its goal.
    pub(crate) fn is_missed(&self) -> bool {
        self.goal.is_some_and(|goal| self.value.is_nan() || self.value > goal)
    }

    pub(crate) fn line(&self) -> String {
        let goal = self
            .goal
            .map_or(String::new(), |goal| format!("goal {goal} {}", self.unit));
        let verdict = match (self.goal, self.is_missed()) {
            (None, _) => "",
            (Some(_), false) => "kept",
            (Some(_), true) => "MISSED",
        };
        format!(
            "{:62} {:>10.1} {:4} {goal:18} {verdict}",
            self.what, self.value, self.unit
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_percentile_is_one_of_the_values() {
        let samples = Samples((1..=200).map(f64::from).collect());
        assert_eq!((samples.percentile(50), samples.percentile(99)), (100.0, 198.0));
        assert_eq!(Samples(vec![7.0]).percentile(99), 7.0);
    }

    #[test]
    fn a_figure_that_could_not_be_had_is_a_goal_missed() {
        assert!(Figure::new("x", f64::NAN, "ms", Some(1.0)).is_missed());
        assert!(Figure::new("x", 1.1, "ms", Some(1.0)).is_missed());
        assert!(!Figure::new("x", 1.0, "ms", Some(1.0)).is_missed());
        assert!(!Figure::new("x", 1e9, "ms", None).is_missed());
    }
}
