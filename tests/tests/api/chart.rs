//! The chart, judged by helm and by the API server. That it works is for the tests on a node to show.

use anyhow::{Context, Result};
use pilotfish_tests::Cluster;
use std::path::Path;

/// Everything that can be switched on and needs no kind of somebody else's.
const ALL: &str = "networkPolicy.enabled=true,dashboard.enabled=true,ipFamily=IPv6,rootNamespace=platform,\
                   sidecar.trustedImages={a.example/b,c:1},operator.imagePullSecrets[0].name=registry,\
                   operator.priorityClassName=system-cluster-critical,operator.nodeSelector.disk=ssd,\
                   operator.podAnnotations.a=b,operator.podLabels.c=d,operator.tolerations[0].operator=Exists";

fn chart() -> Result<String> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../charts/pilotfish");
    let path = path.to_str().context("the workspace's path is no text")?;
    Ok(path.to_owned())
}

/// What `helm template` makes of the chart in `namespace`, or what it says against `values`.
async fn rendered(cluster: &Cluster, namespace: &str, values: &str) -> Result<Result<String, String>> {
    rendered_with(cluster, namespace, &["--set", values]).await
}

async fn rendered_with(cluster: &Cluster, namespace: &str, flags: &[&str]) -> Result<Result<String, String>> {
    let chart = chart()?;
    let template = ["template", "pilotfish", &chart, "--namespace", namespace];
    let arguments = [&template[..], &["--kube-version", "1.36.0"], flags].concat();
    let outcome = cluster.helm(arguments).await?;
    Ok(match outcome.status.success() {
        true => Ok(outcome.stdout),
        false => Err(outcome.stderr),
    })
}

#[tokio::test]
async fn helm_finds_nothing_wrong_with_either_chart() -> Result<()> {
    let cluster = Cluster::shared().await?;
    let kinds = format!("{}-crds", chart()?);
    let said = cluster.helm(["lint", "--strict", &chart()?, &kinds]).await?.success()?;
    assert!(said.contains("2 chart(s) linted, 0 chart(s) failed"), "{said}");
    Ok(())
}

#[tokio::test]
async fn the_api_server_knows_every_field_of_every_object() -> Result<()> {
    let cluster = Cluster::shared().await?;
    let namespace = cluster.namespace("system").await?;
    for values in ["", ALL] {
        let objects = rendered(cluster, namespace.name(), values)
            .await?
            .map_err(anyhow::Error::msg)?;
        let apply = [
            "apply",
            "--server-side",
            "--dry-run=server",
            "--validate=strict",
            "-f",
            "-",
        ];
        let applied = cluster.kubectl_with(apply, &objects).await?.success()?;
        assert_eq!(
            applied.lines().count(),
            objects.matches("\nkind: ").count(),
            "{applied}"
        );
    }
    Ok(())
}

#[tokio::test]
async fn a_value_stays_the_text_or_the_number_that_it_is() -> Result<()> {
    let cluster = Cluster::shared().await?;
    let flags = [
        "--set-json=sidecar.resources.limits.memory=268435456",
        "--set-json=operator.resources.limits.memory=1073741824",
        "--set-string=operator.priorityClassName=123",
        r"--set=operator.log=info\,kube=debug",
        "--set-string=rootNamespace=456",
    ];
    let objects = rendered_with(cluster, "789", &flags)
        .await?
        .map_err(anyhow::Error::msg)?;
    for line in [
        r#"- "--sidecar-memory-limit=268435456""#,
        r#"memory: "1073741824""#,
        r#"priorityClassName: "123""#,
        r#"- "--log=info,kube=debug""#,
        r#"- "--root-namespace=456""#,
        r#"namespace: "789""#,
    ] {
        assert!(objects.contains(&format!("{line}\n")), "{line}: {objects}");
    }
    assert!(!objects.contains("e+"), "{objects}");
    let arguments = ["create", "--dry-run=client", "--validate=strict", "-f", "-"];
    cluster.kubectl_with(arguments, &objects).await?.success()?;
    Ok(())
}

#[tokio::test]
async fn what_is_set_to_null_is_left_out() -> Result<()> {
    let cluster = Cluster::shared().await?;
    for value in [
        "sidecar.resources",
        "sidecar.resources.limits",
        "operator.resources",
        "operator.podLabels",
        "podMonitor",
        "dashboard",
        "rootNamespace",
    ] {
        let objects = rendered(cluster, "system", &format!("{value}=null")).await?;
        let objects = objects.map_err(anyhow::Error::msg)?;
        assert!(
            !objects.contains("nil") && !objects.contains("null"),
            "{value}: {objects}"
        );
    }
    Ok(())
}

#[tokio::test]
async fn nothing_of_the_chart_is_named_twice_or_outside_its_namespace() -> Result<()> {
    let cluster = Cluster::shared().await?;
    let objects = rendered(cluster, "elsewhere", ALL).await?.map_err(anyhow::Error::msg)?;
    assert!(!objects.contains("pilotfish-system"), "{objects}");
    Ok(())
}

#[tokio::test]
async fn a_value_that_means_nothing_is_refused() -> Result<()> {
    let cluster = Cluster::shared().await?;
    for (values, sentence) in [
        ("operator.image.tag=1", "at '/operator/image': got object, want string"),
        (
            "operator.image=a b",
            "at '/operator/image': 'a b' does not match pattern",
        ),
        (
            "operator.imge=a",
            "at '/operator': additional properties 'imge' not allowed",
        ),
        ("operator.image=a:", "at '/operator/image': 'a:' does not match pattern"),
        ("operator=null", "at '': missing property 'operator'"),
        ("sidecar=null", "at '': missing property 'sidecar'"),
        ("networkPolicy=null", "at '': missing property 'networkPolicy'"),
        ("operator.log=null", "at '/operator': missing property 'log'"),
        (
            r"operator.podLabels.app\.kubernetes\.io/name=evil",
            "invalid propertyName 'app.kubernetes.io/name'",
        ),
        (
            r"podMonitor.labels.app\.kubernetes\.io/instance=evil",
            "invalid propertyName 'app.kubernetes.io/instance'",
        ),
        (
            "operator.log=debgu",
            "at '/operator/log': 'debgu' does not match pattern",
        ),
        (
            r"operator.log=info\,debgu=trace",
            "at '/operator/log': 'info,debgu=trace' does not match pattern",
        ),
        ("operator.log=a\"b", "at '/operator/log': 'a\"b' does not match pattern"),
        (
            "sidecar.resources.limits.memory=16Mi",
            "sidecar.resources: the memory request 48Mi is above the limit 16Mi",
        ),
        (
            "sidecar.resources.limits.memory=1",
            "sidecar.resources.limits.memory is 1, and a sidecar needs 16Mi at least",
        ),
        (
            "sidecar.resources.limits.memory=1.5",
            "sidecar.resources.limits.memory is 1.5, and a sidecar needs 16Mi at least",
        ),
        (
            "sidecar.resources.limits.cpu=19m",
            "sidecar.resources: the cpu request 20m is above the limit 19m",
        ),
        ("replicas=3", "at '': additional properties 'replicas' not allowed"),
        ("operator.replicas=0", "at '/operator/replicas': minimum: got 0, want 1"),
        (
            "operator.imagePullSecrets={a}",
            "at '/operator/imagePullSecrets/0': got string, want object",
        ),
        (
            "sidecar.resources.limits.gpu=1",
            "at '/sidecar/resources/limits': additional properties 'gpu' not allowed",
        ),
        (
            "sidecar.resources.limits.memory=1GB",
            "at '/sidecar/resources/limits/memory': '1GB' does not match pattern",
        ),
        (
            "rootNamespace=Root",
            "at '/rootNamespace': 'Root' does not match pattern",
        ),
        ("ipFamily=IPv5", "at '/ipFamily': value must be one of 'IPv4', 'IPv6'"),
        (
            "podMonitor.interval=often",
            "at '/podMonitor/interval': 'often' does not match pattern",
        ),
        (
            "dashboard.enabled=perhaps",
            "at '/dashboard/enabled': got string, want boolean",
        ),
    ] {
        let answer = rendered(cluster, "default", values).await?;
        let said = answer.err().with_context(|| format!("{values} is taken"))?;
        assert!(said.contains(sentence), "{values}: {said}");
    }
    Ok(())
}
