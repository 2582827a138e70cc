use super::*;

#[test]
fn a_health_outlives_snapshots_until_its_revision_changes() {
    let registry = Registry::default();
    let first = registry.health("shop/a", "ai/gpt", 1);
    assert!(Arc::ptr_eq(&first, &registry.health("shop/a", "ai/gpt", 1)));
    let mended = registry.health("shop/a", "ai/gpt", 2);
    assert!(!Arc::ptr_eq(&first, &mended));
    assert!(Arc::ptr_eq(&mended, &registry.health("shop/a", "ai/gpt", 2)));
}

#[test]
fn what_the_configuration_no_longer_has_is_forgotten() {
    let registry = Registry::default();
    let kept = registry.health("shop/a", "ai/gpt", 1);
    let gone = registry.health("shop/a", "ai/claude", 1);
    registry.health("shop/b", "ai/claude", 1);
    registry.retain(|_, deployment| deployment == "ai/gpt");
    assert!(Arc::ptr_eq(&kept, &registry.health("shop/a", "ai/gpt", 1)));
    assert_eq!(Arc::strong_count(&gone), 1);
    assert_eq!(registry.tenants.read().unwrap().len(), 1);
}

#[test]
fn a_board_asks_the_registry_once() {
    let registry = Registry::default();
    let board = Board::new(2);
    let first = Arc::clone(board.health(1, || registry.health("shop/a", "ai/gpt", 1)));
    assert!(Arc::ptr_eq(&first, board.health(1, || panic!("asked twice"))));
    assert!(Arc::ptr_eq(&first, &registry.health("shop/a", "ai/gpt", 1)));
}
