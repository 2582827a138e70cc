//! The control plane of the tests does what tests ask of it.

use anyhow::Result;
use pilotfish_tests::Cluster;
use pilotfish_tests::cluster::Options;

#[tokio::test]
async fn what_was_written_survives_a_crash_of_the_api_server_and_of_etcd() -> Result<()> {
    let cluster = Options::default().start().await?;
    cluster
        .apply("{apiVersion: v1, kind: ConfigMap, metadata: {name: kept}, data: {a: b}}")
        .await?;
    cluster.kill_apiserver()?;
    cluster.kill_etcd()?;
    cluster.kubectl(["get", "configmap", "kept"]).await?.failure()?;
    cluster.start_etcd().await?;
    cluster.start_apiserver().await?;
    let kept = cluster
        .kubectl(["get", "configmap", "kept", "-o", "jsonpath={.data.a}"])
        .await?;
    assert_eq!(kept.success()?, "b");
    Ok(())
}

#[tokio::test]
async fn the_audit_log_names_the_rule_that_allowed_a_request_and_who_was_refused() -> Result<()> {
    let cluster = Options::default().audited().start().await?;
    let namespace = cluster.namespace("audited").await?;
    namespace
        .kubectl(["create", "serviceaccount", "reader"])
        .await?
        .success()?;
    namespace
        .kubectl(["create", "role", "pods", "--verb=list", "--resource=pods"])
        .await?
        .success()?;
    let reader = format!("{}:reader", namespace.name());
    namespace
        .kubectl([
            "create",
            "rolebinding",
            "pods",
            "--role=pods",
            "--serviceaccount",
            &reader,
        ])
        .await?
        .success()?;
    let token = namespace.kubectl(["create", "token", "reader"]).await?.success()?;
    let kubeconfig = cluster.kubeconfig_with_token(token.trim())?;
    // The later of two flags counts.
    let own = ["--kubeconfig", kubeconfig.to_str().unwrap()];
    namespace
        .kubectl(own.into_iter().chain(["get", "pods"]))
        .await?
        .success()?;
    namespace
        .kubectl(own.into_iter().chain(["get", "secrets"]))
        .await?
        .failure()?;

    let user = format!("system:serviceaccount:{reader}");
    let asked = cluster.audit()?;
    let asked: Vec<_> = asked
        .iter()
        .filter(|access| access.user == user && access.verb == "list")
        .collect();
    let decided: Vec<_> = asked
        .iter()
        .map(|access| (access.resource.as_str(), access.allowed, access.status))
        .collect();
    assert_eq!(decided, [("pods", true, 200), ("secrets", false, 403)]);
    assert!(asked[0].reason.contains("RoleBinding \"pods/"), "{}", asked[0].reason);
    Ok(())
}

#[tokio::test]
async fn namespaces_are_apart_and_a_client_sees_what_kubectl_wrote() -> Result<()> {
    use k8s_openapi::api::core::v1::ConfigMap;
    let cluster = Cluster::shared().await?;
    let (one, other) = (cluster.namespace("apart").await?, cluster.namespace("apart").await?);
    one.apply("{apiVersion: v1, kind: ConfigMap, metadata: {name: here}}")
        .await?;
    let client = cluster.client().await?;
    let here = |namespace: &str| kube::Api::<ConfigMap>::namespaced(client.clone(), namespace);
    assert!(here(one.name()).get_opt("here").await?.is_some());
    assert!(here(other.name()).get_opt("here").await?.is_none());
    Ok(())
}

#[tokio::test]
async fn a_flag_that_does_not_exist_is_what_a_failed_start_says() {
    let started = Options::default().apiserver_flag("--no-such-flag").start().await;
    let said = format!("{:#}", started.unwrap_err());
    assert!(said.contains("unknown flag: --no-such-flag"), "{said}");
}

#[tokio::test]
async fn a_cluster_that_is_named_is_used_and_left_as_it_was() -> Result<()> {
    let named = Options::default().audited().start().await?;
    let tests = std::process::Command::new(std::env::current_exe()?)
        .arg("namespaces_are_apart")
        .env("PILOTFISH_TEST_KUBECONFIG", named.kubeconfig())
        // Nothing may read it.
        .env("KUBECONFIG", "/nowhere")
        .output()?;
    assert!(tests.status.success(), "{}", String::from_utf8_lossy(&tests.stdout));
    let asked = named.audit()?;
    let of_namespaces = |verb: &str| {
        let asked = asked
            .iter()
            .filter(|access| access.resource == "namespaces" && access.verb == verb);
        let mut names: Vec<&str> = asked.map(|access| access.name.as_str()).collect();
        names.retain(|name| name.starts_with("apart-"));
        names.sort_unstable();
        names
    };
    assert_eq!(of_namespaces("create").len(), 2);
    assert_eq!(of_namespaces("create"), of_namespaces("delete"));
    Ok(())
}
