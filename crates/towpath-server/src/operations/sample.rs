//! The sample queries: those of the folder `queries`, which everything else here shares.

/// One sample.
#[derive(Clone, Copy, Debug)]
pub(super) struct Sample {
    /// What it answers, in a few words.
    pub(super) name: &'static str,
    /// The file: a comment that describes it, then the statement.
    text: &'static str,
}

/// The store that the files name.
const STORE: &str = "my-event-data-store";

/// The files, by name.
macro_rules! samples {
    ($($name:literal),* $(,)?) => {
        &[$(Sample {
            name: $name,
            text: include_str!(concat!("../../../../queries/", $name, ".sql")),
        }),*]
    };
}

/// All samples.
pub(super) const SAMPLES: &[Sample] = samples![
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

impl Sample {
    /// What it is for: the comment that the file begins with, without its categories.
    pub(super) fn description(&self) -> String {
        let comment = self.text.lines().map_while(|line| line.strip_prefix("--"));
        let lines = comment.map(str::trim).filter(|line| !line.starts_with("category:"));
        lines.filter(|line| !line.is_empty()).collect::<Vec<_>>().join(" ")
    }

    /// The statement over `store`.
    pub(super) fn statement(&self, store: &str) -> String {
        let is_comment = |line: &&str| line.starts_with("--") || line.is_empty();
        let lines: Vec<&str> = self.text.lines().skip_while(is_comment).collect();
        lines.join("\n").replace(STORE, store)
    }

    /// How well it fits the words of `phrase`: the share of them that it has, a word of the name
    /// or the description counting more than one of the statement. 0 to 1.
    pub(super) fn relevance(&self, phrase: &str) -> f64 {
        let words = words(phrase);
        let (title, statement) =
            (words_of(&[self.name, &self.description()]), words_of(&[self.text]));
        let score = |word: &String| match () {
            () if title.iter().any(|other| is_same(word, other)) => 1.0,
            () if statement.iter().any(|other| is_same(word, other)) => 0.5,
            () => 0.0,
        };
        let total: f64 = words.iter().map(score).sum();
        #[expect(clippy::cast_precision_loss, reason = "a phrase has a few hundred words at most")]
        let count = words.len().max(1) as f64;
        total / count
    }
}

/// Words that say nothing of what is looked for.
const FILLERS: [&str; 34] = [
    "a", "all", "an", "and", "any", "are", "by", "did", "do", "find", "for", "from", "have", "how",
    "i", "in", "is", "list", "me", "my", "of", "on", "or", "query", "show", "that", "the", "to",
    "was", "were", "what", "which", "who", "with",
];

/// The words of a phrase in lower case, those that say something.
fn words(text: &str) -> Vec<String> {
    let words = text.split(|char: char| !char.is_alphanumeric()).filter(|word| !word.is_empty());
    let words = words.map(str::to_lowercase).filter(|word| !FILLERS.contains(&word.as_str()));
    words.collect()
}

/// The words of several texts, with those that camel case joins (`ConsoleLogin`) apart too.
fn words_of(texts: &[&str]) -> Vec<String> {
    let mut all = Vec::new();
    for text in texts {
        all.extend(words(text));
        let mut apart = String::new();
        for char in text.chars() {
            if char.is_uppercase() {
                apart.push(' ');
            }
            apart.push(char);
        }
        all.extend(words(&apart));
    }
    all
}

/// Whether two words are the same but for their endings: `login` and `logins`, `fail` and `failed`.
fn is_same(a: &str, b: &str) -> bool {
    stem(a) == stem(b)
}

fn stem(word: &str) -> &str {
    // Of a short word, what looks like an ending is most of it.
    let endings = ["ures", "ings", "ure", "ing", "ions", "ion", "ed", "es", "s", "e"];
    let stems = endings.iter().filter_map(|ending| word.strip_suffix(ending));
    stems.into_iter().find(|stem| stem.chars().count() >= 3).unwrap_or(word)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_sample_has_a_description_and_a_statement() {
        for sample in SAMPLES {
            assert!(sample.description().len() > 10, "{}", sample.name);
            let statement = sample.statement("$EDS_ID");
            assert!(statement.contains("$EDS_ID") && !statement.contains(STORE), "{}", sample.name);
            assert!(!statement.starts_with("--"), "{}", sample.name);
        }
    }

    #[test]
    fn what_fits_best_comes_first() {
        for (phrase, name) in [
            ("failed console sign-in", "console-sign-in-failures"),
            ("who deleted buckets", "delete-bucket"),
            ("root user activity", "root-user-activity"),
        ] {
            let best =
                SAMPLES.iter().max_by(|a, b| a.relevance(phrase).total_cmp(&b.relevance(phrase)));
            assert_eq!(best.unwrap().name, name);
        }
        assert!(SAMPLES.iter().all(|sample| sample.relevance("xyzzy") == 0.0));
    }
}
