use super::*;
use Operation::{Embeddings, Generate};

#[test]
fn a_health_outlives_snapshots_until_its_revision_changes() {
    let registry = Registry::default();
    let first = registry.health("shop/a", "ai/gpt", Generate, 1);
    assert!(Arc::ptr_eq(&first, &registry.health("shop/a", "ai/gpt", Generate, 1)));
    let mended = registry.health("shop/a", "ai/gpt", Generate, 2);
    assert!(!Arc::ptr_eq(&first, &mended));
    assert!(Arc::ptr_eq(&mended, &registry.health("shop/a", "ai/gpt", Generate, 2)));
}

#[test]
fn what_the_configuration_no_longer_has_is_forgotten() {
    let registry = Registry::default();
    let kept = registry.health("shop/a", "ai/gpt", Generate, 1);
    let gone = registry.health("shop/a", "ai/claude", Generate, 1);
    registry.health("shop/b", "ai/claude", Generate, 1);
    registry.retain(|_, deployment| deployment == "ai/gpt");
    assert!(Arc::ptr_eq(&kept, &registry.health("shop/a", "ai/gpt", Generate, 1)));
    assert_eq!(Arc::strong_count(&gone), 1);
    assert_eq!(registry.tenants.read().unwrap().len(), 1);
}

#[test]
fn a_board_asks_the_registry_once() {
    let registry = Registry::default();
    let board = Board::new(2);
    let first = Arc::clone(board.health(1, Generate, || registry.health("shop/a", "ai/gpt", Generate, 1)));
    assert!(Arc::ptr_eq(&first, board.health(1, Generate, || panic!("asked twice"))));
    assert!(Arc::ptr_eq(&first, &registry.health("shop/a", "ai/gpt", Generate, 1)));
}

#[test]
fn what_a_model_cannot_do_says_nothing_of_what_it_can() {
    let (registry, board) = (Registry::default(), Board::new(2));
    let of = |operation| Arc::clone(board.health(1, operation, || registry.health("shop/a", "ai/gpt", operation, 1)));
    let (talks, embeds) = (of(Generate), of(Embeddings));
    assert!(!Arc::ptr_eq(&talks, &embeds));
    assert!(Arc::ptr_eq(
        &embeds,
        &registry.health("shop/a", "ai/gpt", Embeddings, 1)
    ));
}
