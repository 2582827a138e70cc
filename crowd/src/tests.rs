use super::*;

const STRANGER: IpAddr = IpAddr::V4(std::net::Ipv4Addr::new(10, 0, 0, 9));
const KUBELET: IpAddr = IpAddr::V4(std::net::Ipv4Addr::new(10, 0, 0, 1));

/// Which of `places` were asked to leave.
fn left(places: &[Place]) -> Vec<bool> {
    places.iter().map(|place| place.leave.is_cancelled()).collect()
}

#[test]
fn everybody_comes_in_and_the_oldest_leaves() {
    let crowd = Crowd::new(3);
    let places: Vec<_> = (0..5).map(|_| crowd.enter(STRANGER)).collect();
    assert_eq!(left(&places), [true, true, false, false, false]);
    places[2].show();
    let another = crowd.enter(STRANGER);
    assert_eq!(left(&places), [true, true, false, true, false]);
    drop((places, another));
    assert!(crowd.lock().by_peer.is_empty() && crowd.lock().count == 0);
}

#[test]
fn whoever_holds_the_most_makes_room_for_others() {
    let crowd = Crowd::new(4);
    let probes = [crowd.enter(KUBELET), crowd.enter(KUBELET)];
    let strange: Vec<_> = (0..100).map(|_| crowd.enter(STRANGER)).collect();
    assert_eq!(left(&probes), [false, false]);
    assert_eq!(left(&strange).into_iter().filter(|left| !left).count(), 2);
    let also_strange = crowd.enter("::ffff:10.0.0.9".parse().unwrap());
    assert_eq!(left(&probes), [false, false]);
    assert!(!also_strange.leave.is_cancelled() && left(&strange)[98]);
}

#[test]
fn of_many_who_hold_as_much_the_oldest_leaves() {
    let crowd = Crowd::new(3);
    let hosts: Vec<_> = (1..5).map(|host| crowd.enter([10, 0, 0, host].into())).collect();
    assert_eq!(left(&hosts), [true, false, false, false]);
}

#[test]
fn whoever_has_settled_stays_until_it_is_idle_again() {
    let crowd = Crowd::new(2);
    let settled = crowd.enter(STRANGER);
    settled.settle();
    let places: Vec<_> = (0..10).map(|_| crowd.enter(STRANGER)).collect();
    assert!(!settled.leave.is_cancelled());
    assert!(!left(&places)[8] && left(&places)[7]);
    settled.show();
    assert!(left(&places)[8], "it takes room again");
    drop(places);
    assert_eq!(crowd.lock().count, 1);
}

#[test]
fn whoever_left_and_shows_itself_once_more_makes_nobody_miscount() {
    let crowd = Crowd::new(1);
    let [first, second] = [crowd.enter(STRANGER), crowd.enter(STRANGER)];
    assert!(first.leave.is_cancelled());
    first.show();
    assert!(second.leave.is_cancelled());
    drop((first, second));
    assert!(crowd.lock().by_peer.is_empty() && crowd.lock().count == 0);
}
