//! The catalogue of questions, as `.examples` shows it.

/// The store that the questions are asked of.
const STORE: &str = "my-event-data-store";

/// A question of the catalogue.
#[derive(Clone, Copy, Debug)]
pub(super) struct Example {
    pub(super) name: &'static str,
    text: &'static str,
}

macro_rules! examples {
    ($($name:literal,)*) => {
        &[$(Example {
            name: $name,
            text: include_str!(concat!("../../../../queries/", $name, ".sql")),
        },)*]
    };
}

/// All of `queries/`, by name.
pub(super) const EXAMPLES: &[Example] = examples![
    "access-denied-by-principal",
    "access-key-activity",
    "access-keys-created",
    "activity-in-unused-regions",
    "addresses-outside-the-company",
    "administrator-rights-given",
    "attack-timeline",
    "both-sides-of-a-call",
    "bucket-made-public",
    "bucket-traffic",
    "bulk-download",
    "busiest-quarter-hours",
    "busiest-resources",
    "bytes-out-by-address",
    "calls-made-by-services",
    "console-changes",
    "console-sign-in-failures",
    "console-sign-ins-without-mfa",
    "database-maintenance",
    "databases-deleted-without-snapshot",
    "delete-bucket",
    "denied-at-vpc-endpoints",
    "directory-users",
    "error-rate-by-service",
    "event-versions",
    "events-per-month",
    "evidence-of-one-event",
    "expensive-instances",
    "find-in-any-event",
    "first-time-denied",
    "guessed-password",
    "how-long-a-port-was-open",
    "iam-changes",
    "identity-types",
    "instances-started",
    "kms-keys-to-be-deleted",
    "lambda-releases",
    "last-activity-of-users",
    "late-and-corrected-events",
    "lifetime-of-instances",
    "logging-tampered-with",
    "new-user-agents",
    "new-users-with-password-and-key",
    "objects-without-kms",
    "old-tls",
    "one-day",
    "one-person-many-addresses",
    "passwords-set",
    "policies-that-allow-everything",
    "role-trust-changed",
    "roles-assumed-from-other-accounts",
    "root-user-activity",
    "second-factor-removed",
    "secrets-read",
    "security-group-changes",
    "security-group-opened-to-the-world",
    "service-events",
    "snapshots-and-images-shared",
    "source-address-activity",
    "table-scans",
    "throttled-calls",
    "top-calls-by-account",
    "who-touched-a-resource",
    "workloads-with-web-identity",
    "writes-at-night",
];

impl Example {
    /// What it finds, in a line.
    pub(super) fn title(&self) -> &'static str {
        self.text.lines().next().unwrap_or_default().trim_start_matches("-- ")
    }

    /// What it is about.
    pub(super) fn category(&self) -> &'static str {
        let mut lines = self.text.lines();
        lines.find_map(|line| line.strip_prefix("-- category: ")).unwrap_or_default()
    }

    /// The statement without its comments at the top, asked of `store`.
    pub(super) fn statement(&self, store: Option<&str>) -> String {
        let lines = self.text.lines();
        let body = lines.skip_while(|line| line.starts_with("--") || line.trim().is_empty());
        let text = body.collect::<Vec<_>>().join("\n");
        let text = text.trim().trim_end_matches(';');
        match store {
            Some(store) => text.replace(STORE, store),
            None => text.to_owned(),
        }
    }

    /// Whether `word` is in its name, title or category.
    pub(super) fn is_about(&self, word: &str) -> bool {
        let word = word.to_lowercase();
        [self.name, self.title(), self.category()]
            .iter()
            .any(|text| text.to_lowercase().contains(&word))
    }
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::path::Path;

    use super::*;

    #[test]
    fn every_question_of_the_catalogue_is_an_example() {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../queries");
        let mut names: Vec<String> = fs::read_dir(folder)
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .filter_map(|name| name.strip_suffix(".sql").map(str::to_owned))
            .collect();
        names.sort();
        assert_eq!(EXAMPLES.iter().map(|example| example.name).collect::<Vec<_>>(), names);
        for example in EXAMPLES {
            assert!(!example.title().is_empty() && !example.category().is_empty());
            let statement = example.statement(Some("org-trail"));
            assert!(!statement.starts_with("--") && !statement.is_empty(), "{}", example.name);
            assert!(!statement.contains(STORE) && statement.contains("org-trail"));
        }
    }

    #[test]
    fn an_example_is_found_by_any_of_its_words() {
        let example = EXAMPLES.iter().find(|example| example.name == "delete-bucket").unwrap();
        assert!(example.is_about("bucket") && example.is_about("DELETED"));
        assert!(!example.is_about("zebra"));
    }
}
