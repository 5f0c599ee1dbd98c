//! The sample queries: those of the folder `queries`, as every face of towpath offers them.

/// A question that people ask of a store, and the statement that answers it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SampleQuery {
    name: &'static str,
    /// The file: a comment that describes it, then the statement.
    text: &'static str,
}

/// The files, by name.
macro_rules! samples {
    ($($name:literal,)*) => {
        &[$(SampleQuery {
            name: $name,
            text: include_str!(concat!("../../../queries/", $name, ".sql")),
        },)*]
    };
}

const SAMPLES: &[SampleQuery] = samples![
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

/// All sample queries, by name.
pub fn sample_queries() -> &'static [SampleQuery] {
    SAMPLES
}

impl SampleQuery {
    /// The store that the statements name where no other is put in its place.
    pub const STORE: &str = "my-event-data-store";

    /// What it is called: a few words with hyphens between them.
    pub fn name(&self) -> &'static str {
        self.name
    }

    /// What it finds, in a line.
    pub fn title(&self) -> &'static str {
        self.text.lines().next().unwrap_or_default().trim_start_matches("-- ")
    }

    /// What it is about.
    pub fn category(&self) -> &'static str {
        let mut lines = self.text.lines();
        lines.find_map(|line| line.strip_prefix("-- category: ")).unwrap_or_default()
    }

    /// What it is for, in a few sentences; the first is its [title](SampleQuery::title).
    pub fn description(&self) -> String {
        let comment = self.text.lines().map_while(|line| line.strip_prefix("--"));
        let lines = comment.map(str::trim).filter(|line| !line.starts_with("category:"));
        lines.filter(|line| !line.is_empty()).collect::<Vec<_>>().join(" ")
    }

    /// The statement over `store`, without a `;` at its end.
    pub fn statement(&self, store: &str) -> String {
        let lines = self.text.lines();
        let body = lines.skip_while(|line| line.starts_with("--") || line.trim().is_empty());
        let text = body.collect::<Vec<_>>().join("\n");
        text.trim().trim_end_matches(';').replace(SampleQuery::STORE, store)
    }

    /// Whether `word` is in its name, title or category, in any case.
    pub fn is_about(&self, word: &str) -> bool {
        let word = word.to_lowercase();
        let texts = [self.name, self.title(), self.category()];
        texts.iter().any(|text| text.to_lowercase().contains(&word))
    }

    /// How well it fits the words of `phrase`: the share of them that it has, a word of the name
    /// or the description counting more than one of the statement. 0 to 1.
    pub fn relevance(&self, phrase: &str) -> f64 {
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
    use std::fs;
    use std::path::Path;

    use super::*;

    #[test]
    fn every_question_of_the_catalogue_is_a_sample() {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../queries");
        let mut names: Vec<String> = fs::read_dir(folder)
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .filter_map(|name| name.strip_suffix(".sql").map(str::to_owned))
            .collect();
        names.sort();
        assert_eq!(SAMPLES.iter().map(SampleQuery::name).collect::<Vec<_>>(), names);
        for sample in SAMPLES {
            assert!(!sample.title().is_empty() && !sample.category().is_empty());
            assert!(sample.description().len() > 10, "{}", sample.name);
            let statement = sample.statement("$EDS_ID");
            assert!(!statement.starts_with("--") && !statement.is_empty(), "{}", sample.name);
            assert!(!statement.contains(SampleQuery::STORE) && statement.contains("$EDS_ID"));
        }
    }

    #[test]
    fn a_sample_is_found_by_any_of_its_words() {
        let sample = SAMPLES.iter().find(|sample| sample.name == "delete-bucket").unwrap();
        assert!(sample.is_about("bucket") && sample.is_about("DELETED"));
        assert!(!sample.is_about("zebra"));
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
