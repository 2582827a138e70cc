//! What an application in an injected pod has, and what it has not.

use crate::installed::{becomes, shared, shop};
use anyhow::{Result, ensure};
use serde_json::json;

/// The provider's key. Only the sidecar may hold it.
const CANARY: &str = "sk-canary-openai";

#[tokio::test]
async fn an_application_with_nothing_configured_is_answered_through_the_policy() -> Result<()> {
    let shop = shop(shared().await?).await?;
    let program = "from openai import OpenAI\n\
        answer = OpenAI().chat.completions.with_raw_response.create(model='chat', messages=[{'role': 'user', 'content': 'Hello'}])\n\
        print(answer.headers['x-pilotfish-deployment'], bool(answer.parse().choices[0].message.content))";
    let deployment = json!({"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "app"}, "spec": {
    "replicas": 1, "selector": {"matchLabels": {"app": "app"}},
    "template": {"metadata": {"labels": {"app": "app"}}, "spec": {"containers": [{
        "name": "app", "image": "localhost/python:e2e",
        "args": ["-u", "-c", format!("{program}\nimport time; time.sleep(3600)")],
    }]}}}});
    shop.apply(&deployment.to_string()).await?;
    becomes(&shop, "deployment/app", "{.status.readyReplicas}", "1").await?;
    let said = pilotfish_tests::cluster::until("the application was answered", async || {
        let said = shop.kubectl(["logs", "deployment/app", "-c", "app"]).await?.success()?;
        ensure!(said.contains("True"), "{said}");
        Ok(said)
    });
    assert_eq!(said.await?, format!("{}/gpt-4o True\n", shop.name()));
    becomes(
        &shop,
        "rp/chat",
        "{.status.sidecars}",
        r#"{"desired":1,"programmed":1,"refused":0,"unserved":0}"#,
    )
    .await?;
    Ok(())
}

#[tokio::test]
async fn no_provider_key_can_be_read_from_the_application() -> Result<()> {
    let shop = shop(shared().await?).await?;
    let pod = json!({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "app"}, "spec": {
        "containers": [{"name": "app", "image": "localhost/busybox:e2e", "command": ["sleep", "3600"],
            "securityContext": {"runAsUser": 0}}]}});
    shop.apply(&pod.to_string()).await?;
    shop.kubectl(["wait", "--for=condition=Ready", "--timeout=60s", "pod/app"])
        .await?
        .success()?;
    becomes(&shop, "rp/chat", "{.status.sidecars.programmed}", "1").await?;
    let inside = async |script: &str| {
        let arguments = ["exec", "app", "-c", "app", "--", "sh", "-c", script];
        Ok::<_, anyhow::Error>(format!("{:?}", shop.kubectl(arguments).await?))
    };
    // As root in its own container: what is mounted, what is set, what other processes there are, what the ports say.
    let looks = [
        "env",
        "grep -rs sk-canary /var /etc /run /tmp /proc/self/environ /proc/1/environ; true",
        "for p in /proc/[0-9]*; do cat $p/environ $p/cmdline; done 2>/dev/null; true",
        "wget -qO- http://127.0.0.1:4001/metrics; wget -qO- http://127.0.0.1:4001/config; true",
        "wget -qO- http://127.0.0.1:4000/v1/models; true",
        "ls -laR /var/lib/pilotfish /var/run/secrets/pilotfish.dev; true",
    ];
    for look in looks {
        let said = inside(look).await?;
        ensure!(!said.contains(CANARY), "{look}: {said}");
    }
    let said = inside("ls /var/lib/pilotfish /var/run/secrets/pilotfish.dev").await?;
    ensure!(said.contains("No such file"), "{said}");
    let config = ["exec", "app", "-c", "pilotfish", "--", "/pilotfish-sidecar", "config"];
    let said = shop.kubectl(config).await?.success()?;
    ensure!(
        said.contains("\"kind\":\"credential\"") && !said.contains(CANARY),
        "{said}"
    );
    let request = r#"{"model":"chat","messages":[{"role":"user","content":"Hi"}]}"#;
    let ask = format!(
        "wget -qO- --header 'content-type: application/json' --post-data '{request}' $OPENAI_BASE_URL/chat/completions"
    );
    let said = inside(&ask).await?;
    ensure!(said.contains("chat.completion") && !said.contains(CANARY), "{said}");
    Ok(())
}

#[tokio::test]
async fn a_job_ends_although_its_sidecar_would_run_for_ever() -> Result<()> {
    let shop = shop(shared().await?).await?;
    let job = json!({"apiVersion": "batch/v1", "kind": "Job", "metadata": {"name": "once"}, "spec": {
        "backoffLimit": 0, "template": {"spec": {"restartPolicy": "Never", "containers": [
            {"name": "app", "image": "localhost/busybox:e2e", "command": ["true"]}]}}}});
    shop.apply(&job.to_string()).await?;
    becomes(&shop, "job/once", "{.status.succeeded}", "1").await
}

#[tokio::test]
async fn an_open_stream_finishes_when_its_pod_is_told_to_end() -> Result<()> {
    let shop = shop(shared().await?).await?;
    let program = "import signal, sys\n\
        signal.signal(signal.SIGTERM, lambda *_: print('told to end', flush=True))\n\
        from openai import OpenAI\n\
        words = 0\n\
        long = 'Repeat this: ' + 'word ' * 400\n\
        stream = OpenAI().chat.completions.create(model='chat', stream=True, messages=[{'role': 'user', 'content': long}])\n\
        for chunk in stream:\n    \
            words += 1\n    \
            if words == 2: print('streaming', flush=True)\n    \
            end = chunk.choices and chunk.choices[0].finish_reason\n    \
            if end: print('finished', end, flush=True)\n";
    let pod = json!({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "app"}, "spec": {
        "restartPolicy": "Never", "terminationGracePeriodSeconds": 60,
        "containers": [{"name": "app", "image": "localhost/python:e2e", "args": ["-u", "-c", program]}]}});
    shop.apply(&pod.to_string()).await?;
    let logs = ["logs", "app", "-c", "app"];
    pilotfish_tests::cluster::until("it streams", async || {
        let said = shop.kubectl(logs).await?.success()?;
        ensure!(said.contains("streaming"), "{said}");
        Ok(())
    })
    .await?;
    let follow = shop.kubectl(["logs", "app", "-c", "app", "--follow"]);
    let delete = shop.kubectl(["delete", "pod", "app", "--wait=false"]);
    let (said, deleted) = tokio::try_join!(follow, delete)?;
    deleted.success()?;
    let said = said.success()?;
    ensure!(said.contains("finished"), "{said}");
    Ok(())
}

#[tokio::test]
async fn a_sidecar_reads_its_files_whoever_its_pod_runs_as() -> Result<()> {
    let cluster = shared().await?;
    let shop = shop(cluster).await?;
    let enforce = "pod-security.kubernetes.io/enforce=restricted";
    cluster
        .kubectl(["label", "namespace", shop.name(), enforce])
        .await?
        .success()?;
    // The kubelet gives volumes and tokens to the pod's group or user, where it has one.
    for (name, identity) in [
        ("group", json!({"runAsUser": 1000, "fsGroup": 2000})),
        ("user", json!({"runAsUser": 40_014, "fsGroup": 40_014})),
        ("others", json!({"runAsUser": 1000, "supplementalGroups": [3000]})),
    ] {
        let mut security = json!({"runAsNonRoot": true, "seccompProfile": {"type": "RuntimeDefault"}});
        for (field, value) in identity.as_object().into_iter().flatten() {
            security[field] = value.clone();
        }
        let pod = json!({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": name}, "spec": {
            "securityContext": security,
            "containers": [{"name": "app", "image": "localhost/busybox:e2e", "command": ["sleep", "3600"],
                "securityContext": {"allowPrivilegeEscalation": false, "capabilities": {"drop": ["ALL"]}}}]}});
        shop.apply(&pod.to_string()).await?;
    }
    // Ready means that a configuration came, for which the token was read.
    shop.kubectl(["wait", "--for=condition=Ready", "--timeout=60s", "pod", "--all"])
        .await?
        .success()?;
    becomes(&shop, "rp/chat", "{.status.sidecars.programmed}", "3").await
}
