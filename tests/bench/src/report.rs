//! The figures of all rounds: medians and spread, a table for people, JSON for the rest.

use crate::goals::{self, Limit};
use crate::metric::{Metric, Sample};
use serde_json::{Value, json};
use std::fmt;

/// What the figures are of.
#[derive(Clone, Debug)]
pub(crate) struct Setting {
    /// nginx's version.
    pub(crate) reference: String,
    /// The subject's path or name.
    pub(crate) subject: String,
    /// Rounds run.
    pub(crate) rounds: u32,
    /// Whether the goals hold for this run: not for a short one, nor for nginx against itself.
    pub(crate) judged: bool,
}

/// A median and the middle half of what it is of: the least and the most of many windows say how much else the machine
/// did in one of them.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Spread {
    median: f64,
    lower: f64,
    upper: f64,
}

impl Spread {
    fn of(mut values: Vec<f64>) -> Self {
        values.sort_by(f64::total_cmp);
        let at = |index: usize| values.get(index).copied().unwrap_or(f64::NAN);
        let last = values.len().saturating_sub(1);
        Self {
            median: (at(last / 2) + at(last.div_ceil(2))) / 2.0,
            lower: at(last / 4),
            upper: at(last - last / 4),
        }
    }

    fn json(&self) -> Value {
        json!({"median": self.median, "lower": self.lower, "upper": self.upper})
    }
}

impl fmt::Display for Spread {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.median.is_nan() {
            return f.write_str("–");
        }
        let digits = if self.median.abs() < 10.0 {
            2
        } else {
            usize::from(self.median.abs() < 1000.0)
        };
        write!(
            f,
            "{:.digits$} [{:.digits$} .. {:.digits$}]",
            self.median, self.lower, self.upper
        )
    }
}

/// One figure over all rounds.
struct Series {
    scenario: &'static str,
    metric: Metric,
    reference: Spread,
    subject: Spread,
    /// One after the other.
    values: Vec<f64>,
    /// Of the rounds' ratios, not of the medians: what disturbs a round disturbs both proxies.
    ratio: Spread,
}

impl Series {
    fn of(samples: &[Sample], scenario: &'static str, metric: Metric) -> Self {
        let rounds: Vec<_> = samples
            .iter()
            .filter(|s| s.scenario == scenario && s.metric == metric)
            .collect();
        let spread = |value: fn(&Sample) -> f64| Spread::of(rounds.iter().map(|sample| value(sample)).collect());
        Self {
            scenario,
            metric,
            reference: spread(|sample| sample.reference),
            subject: spread(|sample| sample.subject),
            values: rounds.iter().map(|sample| sample.subject).collect(),
            ratio: spread(|sample| sample.subject / sample.reference),
        }
    }

    /// `None` without a promise, and where it is about a scenario that was not run.
    fn verdict(&self, all: &[Self]) -> Option<Verdict> {
        let limit = goals::of(self.scenario, self.metric)?;
        let of = |scenario: &str| all.iter().find(|s| s.scenario == scenario && s.metric == self.metric);
        let kept = match limit {
            Limit::TimesReference(most) => self.ratio.median <= most,
            Limit::Value(most) => self.subject.median <= most,
            Limit::Times(other, most) => self.times(of(other)?).median <= most,
        };
        Some(Verdict { limit, kept })
    }

    /// As multiples of another's, each of those that were found in the same seconds.
    fn times(&self, other: &Self) -> Spread {
        let pairs = self.values.iter().zip(&other.values);
        Spread::of(pairs.map(|(value, other)| value / other).collect())
    }

    fn json(&self, all: &[Self]) -> Value {
        let mut json = json!({
            "nginx": self.reference.json(), "subject": self.subject.json(), "ratio": self.ratio.json(),
        });
        if let Some(Verdict { limit, kept }) = self.verdict(all) {
            json["goal"] = match limit {
                Limit::TimesReference(most) => json!({"ratio": most, "kept": kept}),
                Limit::Value(most) => json!({"value": most, "kept": kept}),
                Limit::Times(other, most) => json!({"times": other, "ratio": most, "kept": kept}),
            };
        }
        json
    }
}

/// A promise, and whether it was kept.
#[derive(Clone, Copy, Debug)]
struct Verdict {
    limit: Limit,
    kept: bool,
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.limit {
            Limit::TimesReference(most) => write!(f, "{most:.2} × ")?,
            Limit::Value(most) => write!(f, "{most:.1} ")?,
            Limit::Times(other, most) => write!(f, "{other} × {most:.1} ")?,
        }
        f.write_str(if self.kept { "kept" } else { "MISSED" })
    }
}

/// All figures of a run.
pub(crate) struct Report {
    setting: Setting,
    series: Vec<Series>,
}

impl Report {
    /// Gathers the rounds, in the order in which scenarios and metrics first occurred.
    pub(crate) fn new(setting: Setting, samples: &[Sample]) -> Self {
        let mut scenarios: Vec<(&'static str, Vec<Metric>)> = Vec::new();
        for Sample { scenario, metric, .. } in samples {
            match scenarios.iter_mut().find(|(name, _)| name == scenario) {
                Some((_, metrics)) if metrics.contains(metric) => {}
                Some((_, metrics)) => metrics.push(*metric),
                None => scenarios.push((scenario, vec![*metric])),
            }
        }
        let series = |(scenario, metrics): (_, Vec<_>)| {
            metrics
                .into_iter()
                .map(move |metric| Series::of(samples, scenario, metric))
        };
        let series = scenarios.into_iter().flat_map(series).collect();
        Self { setting, series }
    }

    /// The goals that were missed; none when this run is not judged.
    pub(crate) fn missed(&self) -> usize {
        let missed = |series: &&Series| matches!(series.verdict(&self.series), Some(Verdict { kept: false, .. }));
        if self.setting.judged {
            self.series.iter().filter(missed).count()
        } else {
            0
        }
    }

    /// For people.
    pub(crate) fn table(&self) -> String {
        let Setting {
            reference,
            subject,
            rounds,
            judged,
        } = &self.setting;
        let mut table = format!("{subject} beside {reference}, {rounds} rounds: median [middle half]\n");
        let mut scenario = "";
        for series in &self.series {
            if series.scenario != scenario {
                scenario = series.scenario;
                table += &row(
                    scenario,
                    ["nginx", "subject", "ratio"],
                    if *judged { "goal" } else { "" },
                );
            }
            let verdict = series
                .verdict(&self.series)
                .filter(|_| *judged)
                .map(|verdict| verdict.to_string())
                .unwrap_or_default();
            let cells = [&series.reference, &series.subject, &series.ratio].map(Spread::to_string);
            table += &row(
                &format!("  {}", series.metric.label()),
                cells.each_ref().map(String::as_str),
                &verdict,
            );
        }
        table
    }

    /// For programs.
    pub(crate) fn json(&self) -> Value {
        let Setting {
            reference,
            subject,
            rounds,
            judged,
        } = &self.setting;
        let mut scenarios = Value::Null;
        for series in &self.series {
            scenarios[series.scenario][series.metric.label()] = series.json(&self.series);
        }
        json!({"reference": reference, "subject": subject, "rounds": rounds, "judged": judged, "scenarios": scenarios})
    }
}

fn row(label: &str, [reference, subject, ratio]: [&str; 3], goal: &str) -> String {
    format!("{label:<36}{reference:<30}{subject:<30}{ratio:<24}{goal}")
        .trim_end()
        .to_owned()
        + "\n"
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::metric::PROCESS;

    fn report(subject: [f64; 3], judged: bool) -> Report {
        let sample = |(reference, subject)| Sample {
            scenario: "passthrough",
            metric: Metric::CpuPerRequest,
            reference,
            subject,
        };
        let samples: Vec<_> = [10.0, 20.0, 40.0].into_iter().zip(subject).map(sample).collect();
        let setting = Setting {
            reference: "nginx".into(),
            subject: "sidecar".into(),
            rounds: 3,
            judged,
        };
        Report::new(setting, &samples)
    }

    #[test]
    fn the_ratio_is_the_median_of_the_rounds_ratios() {
        let ratio = report([12.0, 30.0, 44.0], true).series[0].ratio;
        assert_eq!(
            ratio,
            Spread {
                median: 1.2,
                lower: 1.1,
                upper: 1.5
            }
        );
    }

    #[test]
    fn a_missed_goal_counts_only_when_the_run_is_judged() {
        assert_eq!(report([12.0, 24.0, 48.0], true).missed(), 0);
        assert_eq!(report([14.0, 28.0, 56.0], true).missed(), 1);
        assert_eq!(report([14.0, 28.0, 56.0], false).missed(), 0);
    }

    #[test]
    fn every_goal_is_about_a_figure_of_a_scenario_that_exists() {
        let known = |name: &str| crate::scenario::all().any(|scenario| scenario.name == name);
        for goal in goals::all() {
            let other = match goal.limit {
                Limit::Times(other, _) => other,
                Limit::TimesReference(_) | Limit::Value(_) => PROCESS,
            };
            for name in [goal.scenario, other] {
                assert!(known(name) || name == PROCESS, "{goal:?}");
            }
        }
    }
}
