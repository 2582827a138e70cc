use super::*;

type View = Arc<[Arc<Resource>]>;

/// A view of policies, each written `name=body`.
fn view(policies: &[&str]) -> View {
    let resource = |policy: &&str| {
        let (name, body) = policy.split_once('=').unwrap();
        Arc::new(Resource::new(Kind::Policy, name, &body))
    };
    policies.iter().map(resource).collect()
}

fn sidecar(pod: &str, wanted: &View, report: Option<(&View, &[&str])>) -> Sidecar {
    let report = report.map(|(view, refused)| Report {
        view: Arc::clone(view),
        refused: view
            .iter()
            .filter(|resource| refused.contains(&resource.name.as_str()))
            .map(|resource| Refused {
                resource: Arc::clone(resource),
                reason: format!("{pod} cannot").into(),
            })
            .collect(),
        is_partial: false,
    });
    Sidecar {
        pod: ObjectName::new("shop", pod),
        wanted: Arc::clone(wanted),
        report,
        unserved: None,
    }
}

/// Desired, programmed, silent and refused of a policy.
fn counts(sidecars: &[Sidecar], policy: &str) -> Option<(usize, usize, usize, usize)> {
    let tallies = tallies(sidecars);
    let tally = tallies.get(&(Kind::Policy, policy))?;
    Some((tally.desired, tally.programmed, tally.silent, tally.refused.len()))
}

#[test]
fn what_is_acknowledged_in_the_same_version_counts_whatever_else_changed() {
    let wanted = view(&["a=1", "b=2", "d=1"]);
    let before = view(&["a=1", "b=1", "c=1"]);
    let sidecars = [
        sidecar("one", &wanted, Some((&wanted, &[]))),
        sidecar("two", &wanted, Some((&before, &[]))),
        sidecar("three", &wanted, None),
    ];
    assert_eq!(counts(&sidecars, "a"), Some((3, 2, 1, 0)));
    assert_eq!(counts(&sidecars, "b"), Some((3, 1, 1, 0)));
    assert_eq!(counts(&sidecars, "c"), None);
    assert_eq!(counts(&sidecars, "d"), Some((3, 1, 1, 0)));
}

#[test]
fn pods_that_are_to_have_other_things_are_not_counted() {
    let (shop, bank) = (view(&["shop/a=1"]), view(&["bank/a=1"]));
    let sidecars = [
        sidecar("one", &shop, Some((&shop, &[]))),
        sidecar("two", &bank, Some((&shop, &[]))),
    ];
    assert_eq!(counts(&sidecars, "shop/a"), Some((1, 1, 0, 0)));
    assert_eq!(counts(&sidecars, "bank/a"), Some((1, 0, 0, 0)));
}

#[test]
fn a_refusal_is_of_one_resource_in_one_version() {
    let (wanted, before) = (view(&["a=2", "b=1"]), view(&["a=1", "b=1"]));
    let sidecars = [
        sidecar("one", &wanted, Some((&wanted, &["a"]))),
        sidecar("two", &wanted, Some((&before, &["a"]))),
    ];
    assert_eq!(counts(&sidecars, "a"), Some((2, 0, 0, 1)));
    assert_eq!(counts(&sidecars, "b"), Some((2, 2, 0, 0)));
}

#[test]
fn who_could_not_name_all_that_it_refuses_has_nothing_in_force_for_certain() {
    let wanted = view(&["a=1", "b=1"]);
    let mut sidecars = [sidecar("one", &wanted, Some((&wanted, &["a"])))];
    sidecars[0].report.as_mut().unwrap().is_partial = true;
    assert_eq!(counts(&sidecars, "a"), Some((1, 0, 0, 1)));
    assert_eq!(counts(&sidecars, "b"), Some((1, 0, 0, 0)));
}

#[test]
fn the_first_refusals_are_shown_by_the_pods_names() {
    let wanted = view(&["a=1"]);
    let pods: Vec<String> = (0..20).rev().map(|number| format!("web-{number:02}")).collect();
    let sidecars: Vec<_> = pods
        .iter()
        .map(|pod| sidecar(pod, &wanted, Some((&wanted, &["a"]))))
        .collect();
    let tallies = tallies(&sidecars);
    let tally = &tallies[&(Kind::Policy, "a")];
    let refusals = tally.refusals();
    assert_eq!(tally.sidecars().refused, 20);
    assert_eq!(refusals.len(), 8);
    assert_eq!(
        refusals[0],
        Refusal {
            pod: "shop/web-00".to_owned(),
            message: "web-00 cannot".to_owned()
        }
    );
}

#[test]
fn a_crowd_of_pods_is_counted_by_what_they_have() {
    let wanted: Vec<String> = (0..500).map(|number| format!("shop/policy-{number:03}=1")).collect();
    let wanted = view(&wanted.iter().map(String::as_str).collect::<Vec<_>>());
    let sidecars: Vec<_> = (0..2000)
        .map(|number| {
            sidecar(
                &format!("web-{number}"),
                &wanted,
                (number % 2 == 0).then_some((&wanted, &[])),
            )
        })
        .collect();
    assert_eq!(counts(&sidecars, "shop/policy-250"), Some((2000, 1000, 1000, 0)));
}

#[test]
fn who_is_served_nothing_is_counted_apart_and_the_first_by_name_says_why() {
    let (shop, other) = (view(&["a=1", "b=1"]), view(&["a=1"]));
    let unserved = |pod: &str, wanted: &View| Sidecar {
        unserved: Some(format!("{pod} is none")),
        ..sidecar(pod, wanted, Some((wanted, &[])))
    };
    let sidecars = [
        unserved("three", &shop),
        unserved("two", &other),
        sidecar("one", &shop, Some((&shop, &[]))),
        unserved("four", &shop),
    ];
    assert_eq!(counts(&sidecars, "a"), Some((1, 1, 0, 0)));
    let tallies = tallies(&sidecars);
    let told = |policy| {
        let tally = &tallies[&(Kind::Policy, policy)];
        (
            tally.unserved,
            tally.first_unserved.map(|(_, why)| why),
            tally.sidecars().unserved,
        )
    };
    assert_eq!(told("a"), (3, Some("four is none"), 3));
    assert_eq!(told("b"), (2, Some("four is none"), 2));
}
