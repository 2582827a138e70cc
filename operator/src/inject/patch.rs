//! JSON Patch, without a change to anything that was there before.

use super::environment::{Environment, Variable};
use json_patch::jsonptr::PointerBuf;
use json_patch::{AddOperation, MoveOperation, Patch, PatchOperation};
use k8s_openapi::api::core::v1::{Container, PodSpec};
use serde_json::{Value, json};
use std::collections::BTreeMap;

/// Collects operations; each holds after those before it.
#[derive(Default)]
pub(super) struct Builder(Vec<PatchOperation>);

impl Builder {
    /// The variables of containers, each with its place in what [`super::containers`] lists.
    pub(super) fn environments(&mut self, spec: &PodSpec, environments: &[(usize, &Container, Environment)]) {
        let init = spec.init_containers.as_ref().map_or(0, Vec::len);
        for (place, container, environment) in environments {
            let (list, index) = match place.checked_sub(init) {
                Some(index) => ("containers", index),
                None => ("initContainers", *place),
            };
            let path = ["spec", list, &index.to_string(), "env"].map(str::to_owned);
            self.environment(&path, container.env.is_some(), environment);
        }
    }

    /// In front of what is there, so that the container's own variables can refer to them: `$(PILOTFISH_URL)/v1`.
    fn environment(&mut self, path: &[String; 4], exists: bool, environment: &Environment) {
        let value = |variable: &Variable| json!({"name": variable.name, "value": variable.value});
        if !exists {
            return self.add(path, environment.variables().map(value).collect());
        }
        for variable in environment.variables().rev() {
            self.add(path.iter().map(String::as_str).chain(["0"]), value(variable));
        }
    }

    /// Puts `item` at the beginning of the list `field` of the spec.
    pub(super) fn prepend<T>(&mut self, field: &str, list: Option<&Vec<T>>, item: Value) {
        match list {
            Some(_) => self.add(["spec", field, "0"], item),
            None => self.add(["spec", field], json!([item])),
        }
    }

    /// Moves the item in this `place` to the beginning of the list `field` of the spec.
    pub(super) fn bring_forward(&mut self, field: &str, place: usize) {
        if place > 0 {
            self.0.push(PatchOperation::Move(MoveOperation {
                from: pointer(["spec", field, &place.to_string()]),
                path: pointer(["spec", field, "0"]),
            }));
        }
    }

    /// Puts `items` at the end of the list `field` of the spec.
    pub(super) fn append<T>(&mut self, field: &str, list: Option<&Vec<T>>, items: impl IntoIterator<Item = Value>) {
        if list.is_none() {
            return self.add(["spec", field], items.into_iter().collect());
        }
        for item in items {
            self.add(["spec", field, "-"], item);
        }
    }

    /// Sets one of the pod's labels or annotations.
    pub(super) fn mark(&mut self, field: &str, marks: Option<&BTreeMap<String, String>>, name: &str, value: &str) {
        match marks {
            Some(_) => self.add(["metadata", field, name], json!(value)),
            None => self.add(["metadata", field], json!({name: value})),
        }
    }

    /// The patch.
    pub(super) fn finish(self) -> Patch {
        Patch(self.0)
    }

    fn add<T: AsRef<str>>(&mut self, path: impl IntoIterator<Item = T>, value: Value) {
        let path = pointer(path);
        self.0.push(PatchOperation::Add(AddOperation { path, value }));
    }
}

fn pointer<T: AsRef<str>>(path: impl IntoIterator<Item = T>) -> PointerBuf {
    let mut pointer = PointerBuf::new();
    for token in path {
        pointer.push_back(token.as_ref());
    }
    pointer
}
