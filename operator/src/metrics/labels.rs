//! The labels whose values are a fixed set.

/// Declares such a label: an enum, all its values, and how each is spelled.
macro_rules! label {
    ($(#[$doc:meta])* $name:ident($spelling:ident) { $($(#[$value_doc:meta])* $value:ident = $text:literal,)+ }) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum $name { $($(#[$value_doc])* $value,)+ }

        impl $name {
            /// Every value.
            pub(crate) const ALL: [Self; [$($text),+].len()] = [$(Self::$value),+];

            /// As it is spelled.
            pub fn $spelling(self) -> &'static str {
                match self { $(Self::$value => $text,)+ }
            }
        }
    };
}

label! {
    /// Why a sidecar's stream ended.
    Ending(label) {
        /// The sidecar ended it.
        Closed = "closed",
        /// The connection broke, was silent for too long, or dropped the stream.
        Lost = "lost",
        /// It had lasted as long as streams may, so that load spreads over replicas.
        Rebalanced = "rebalanced",
        /// Its pod was deleted, ended, or is trusted no more.
        PodGone = "pod_gone",
        /// The sidecar sent a line that is too long, or none of the protocol.
        Protocol = "protocol",
        /// Another stream of the same pod took its place.
        Replaced = "replaced",
        /// This replica stops.
        Stopping = "stopping",
    }
}

label! {
    /// What the API server said about a token.
    TokenReview(label) {
        /// It is one of a live pod, for us.
        Accepted = "accepted",
        /// It is not.
        Refused = "refused",
        /// It gave no answer.
        Failed = "failed",
    }
}

label! {
    /// What became of a sidecar's request for a certificate.
    Issuance(label) {
        /// It has one.
        Issued = "issued",
        /// It may not have one.
        Refused = "refused",
        /// Nobody could tell.
        Failed = "failed",
    }
}

label! {
    /// How a webhook answered.
    Admission(label) {
        /// The object is stored as it is.
        Allowed = "allowed",
        /// The object is stored with a sidecar, or with the reason why it has none.
        Patched = "patched",
        /// The object is not stored.
        Refused = "refused",
        /// Nobody could tell what was asked.
        Malformed = "malformed",
    }
}

label! {
    /// A certificate of this replica.
    Certificate(label) {
        /// The CA's own.
        Authority = "authority",
        /// What sidecars and the API server see.
        Serving = "serving",
    }
}

label! {
    /// A kind of ours that has a status.
    Subject(label) {
        /// A ModelDeployment.
        ModelDeployment = "ModelDeployment",
        /// A RoutingPolicy.
        RoutingPolicy = "RoutingPolicy",
        /// A VirtualKey.
        VirtualKey = "VirtualKey",
    }
}

label! {
    /// What came of writing a status.
    Written(label) {
        /// It is there.
        Ok = "ok",
        /// The object had changed meanwhile; its new status follows from what it is now.
        Conflict = "conflict",
        /// The object was deleted meanwhile.
        Gone = "gone",
        /// It failed, and is tried again.
        Failed = "failed",
    }
}

label! {
    /// What an Event is about.
    Occasion(as_str) {
        /// An edit is not in force, what was before it is.
        Held = "Held",
        /// Another policy answers for some of its names.
        Conflicted = "Conflicted",
        /// A sidecar would not use it.
        Refused = "Refused",
        /// A key is taken no longer.
        Expired = "Expired",
        /// A key was made.
        KeyCreated = "KeyCreated",
        /// A key was replaced by a new one.
        KeyRotated = "KeyRotated",
        /// The sidecars of a namespace cannot be told whom to trust.
        Untold = "Untold",
        /// The sidecar of a pod is served nothing.
        Unserved = "Unserved",
        /// What is in force cannot be written down.
        Unremembered = "Unremembered",
        /// Another key sealed what was in force.
        Foreign = "Foreign",
    }
}

label! {
    /// Whether something worked.
    Outcome(label) {
        /// It did.
        Ok = "ok",
        /// It did not.
        Failed = "failed",
    }
}

label! {
    /// What became of an Event.
    Told(label) {
        /// It was written.
        Ok = "ok",
        /// It could not be.
        Failed = "failed",
        /// Its object has had too many lately.
        LeftOut = "left_out",
    }
}
