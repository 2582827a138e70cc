//! What happens when an attempt fails: the failure table, row by row, over real sockets.

#![cfg(test)]

use anyhow::Result;
use pilotfish_provider::Step;
use pilotfish_tests::{Dialect, Pair};

#[tokio::test]
async fn a_healthy_first_deployment_answers() -> Result<()> {
    for dialect in Dialect::BOTH {
        let pair = Pair::plain(dialect).await?;
        let answer = pair.ask().await?;
        assert_eq!(answer.status, 200, "{}", answer.text());
        assert_eq!(answer.header("x-pilotfish-deployment"), Some("default/east"));
        pair.east.always(Step::status(500));
        let answer = pair.ask().await?;
        assert_eq!(answer.header("x-pilotfish-deployment"), Some("default/west"));
        let mut answer = pair.stream().await?;
        assert_eq!(answer.status, 200);
        let events = answer.events.rest().await?;
        assert!(events.len() > 3, "{events:?}");
        pair.back_to_idle().await?;
    }
    Ok(())
}
