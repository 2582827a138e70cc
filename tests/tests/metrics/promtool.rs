//! Prometheus' own tool has nothing to say against the metrics, nor against the dashboard's expressions.

use crate::dashboard::Dashboard;
use crate::exposition::Exposition;
use anyhow::Result;
use pilotfish_provider::Step;
use pilotfish_tests::promtool::check;
use pilotfish_tests::{Dialect, Pair};
use serde_json::json;

#[tokio::test]
async fn promtool_is_content_with_the_metrics() -> Result<()> {
    let pair = Pair::plain(Dialect::Chat).await?;
    assert_eq!(
        check("metrics", &Exposition::of(&pair.pilotfish).await?.text).await?,
        ""
    );
    pair.east.script([Step::normal(), Step::status(503), Step::status(400)]);
    for _ in 0..3 {
        pair.ask().await?;
    }
    pair.stream().await?.events.rest().await?;
    assert_eq!(
        check("metrics", &Exposition::of(&pair.pilotfish).await?.text).await?,
        ""
    );
    Ok(())
}

#[tokio::test]
async fn promtool_can_read_every_expression_of_the_dashboard() -> Result<()> {
    let expressions = Dashboard::read()?.expressions;
    let rule = |(number, expression): (usize, &String)| {
        let expression = expression.replace("$__rate_interval", "1m").replace('$', "");
        json!({"record": format!("panel:{number}"), "expr": expression})
    };
    let rules: Vec<_> = expressions.iter().enumerate().map(rule).collect();
    let file = json!({"groups": [{"name": "dashboard", "rules": rules}]}).to_string();
    let said = check("rules", &file).await?;
    assert!(
        said.contains(&format!("SUCCESS: {} rules found", expressions.len())),
        "{said}"
    );
    Ok(())
}
