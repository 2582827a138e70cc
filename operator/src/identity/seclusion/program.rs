//! What runs in a sidecar's container: its image's own program, and nothing that can be put in its place.

use k8s_openapi::api::core::v1::{Container, Lifecycle, Probe};

/// What the API server puts where nobody says anything else.
const TERMINATION_LOG: &str = "/dev/termination-log";
/// How variables begin by which the linker of a program that is not static is told where code is.
const LINKER: &str = "LD_";
/// More variables that say where code is, or that name certificates which every provider's may be signed by.
const VARIABLES: [&str; 4] = ["PATH", "GCONV_PATH", "SSL_CERT_FILE", "SSL_CERT_DIR"];

/// By what something else than the image's program could run in the container, or be told what is in its files or its
/// memory: a message of its end is copied into the pod's status, and memory is dumped where the program works.
pub(super) fn changed_by(container: &Container) -> Option<String> {
    let message = container.termination_message_path.as_deref();
    let ways = [
        (is_any(&container.command), "a command"),
        (
            container.lifecycle.as_ref().is_some_and(is_foreign),
            "a lifecycle hook or signal",
        ),
        (has_exec_probe(container), "an exec probe"),
        (is_any(&container.env_from), "variables from elsewhere"),
        (
            message.is_some_and(|path| path != TERMINATION_LOG),
            "a termination message of its own",
        ),
        (container.working_dir.is_some(), "a working directory of its own"),
        (is_any(&container.volume_devices), "a block device"),
    ];
    let way = ways.into_iter().find_map(|(is_there, what)| is_there.then_some(what));
    way.map(str::to_owned).or_else(|| variable(container))
}

fn is_any<T>(list: &Option<Vec<T>>) -> bool {
    list.as_ref().is_some_and(|list| !list.is_empty())
}

/// Calls over HTTP and pauses are harmless.
fn is_foreign(lifecycle: &Lifecycle) -> bool {
    let Lifecycle {
        post_start,
        pre_stop,
        stop_signal,
    } = lifecycle;
    let mut hooks = [post_start, pre_stop].into_iter().flatten();
    stop_signal.is_some() || hooks.any(|hook| hook.exec.is_some())
}

fn has_exec_probe(container: &Container) -> bool {
    let probes: [&Option<Probe>; 3] = [
        &container.startup_probe,
        &container.readiness_probe,
        &container.liveness_probe,
    ];
    probes.into_iter().flatten().any(|probe| probe.exec.is_some())
}

fn variable(container: &Container) -> Option<String> {
    let mut names = container.env.iter().flatten().map(|variable| variable.name.as_str());
    let name = names.find(|name| name.starts_with(LINKER) || VARIABLES.contains(name))?;
    Some(format!("the variable {name}"))
}
