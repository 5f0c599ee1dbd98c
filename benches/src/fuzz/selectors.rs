//! Event selectors: what is read must be what is written, and what is refused must say why.

use std::path::Path;

use towpath_event::EventSelectors;

use super::{Run, Target};

const EXAMPLES: [&str; 5] = [
    r#"[{"Name":"s3","FieldSelectors":[{"Field":"eventCategory","Equals":["Data"]},{"Field":"resources.type","Equals":["AWS::S3::Object"]},{"Field":"resources.ARN","StartsWith":["arn:aws:s3:::bucket/"]}]}]"#,
    r#"{"AdvancedEventSelectors":[{"FieldSelectors":[{"Field":"eventCategory","Equals":["Management"]},{"Field":"readOnly","Equals":["false"]},{"Field":"eventSource","NotEquals":["kms.amazonaws.com"]}]}]}"#,
    r#"{"EventSelectors":[{"ReadWriteType":"WriteOnly","IncludeManagementEvents":true,"ExcludeManagementEventSources":["kms.amazonaws.com"],"DataResources":[{"Type":"AWS::Lambda::Function","Values":["arn:aws:lambda"]}]}]}"#,
    "Resources:\n  Trail:\n    Type: AWS::CloudTrail::Trail\n    Properties:\n      AdvancedEventSelectors:\n        - Name: all\n          FieldSelectors:\n            - Field: eventCategory\n              Equals: [Management]\n",
    "- FieldSelectors:\n  - Field: eventCategory\n    Equals:\n    - Insight\n",
];

const WORDS: [&str; 20] = [
    "{",
    "}",
    "[",
    "]",
    ":",
    ",",
    "- ",
    "\n  ",
    "null",
    "true",
    "&a ",
    "*a",
    "!!str ",
    "\"Field\"",
    "\"NotStartsWith\"",
    "\"EndsWith\"",
    "userIdentity.arn",
    "vpcEndpointId",
    "eventName",
    "ARN",
];

/// The target.
pub(super) fn target(_project: &Path) -> Target {
    Target {
        name: "selectors",
        corpus: EXAMPLES.iter().map(|text| text.as_bytes().to_vec()).collect(),
        dictionary: WORDS.iter().map(|word| word.as_bytes().to_vec()).collect(),
        tokens: None,
        make: || Box::new(|input: &[u8]| check(&String::from_utf8_lossy(input))) as Run,
    }
}

fn check(text: &str) -> Result<(), String> {
    let selectors = match EventSelectors::parse(text) {
        Ok(selectors) => selectors,
        Err(error) if error.to_string().is_empty() => return Err("says nothing".to_owned()),
        Err(_) => return Ok(()),
    };
    let again = EventSelectors::parse(selectors.to_json())
        .map_err(|error| format!("its own JSON is refused: {error}"))?;
    if again.to_json() == selectors.to_json() && again.kind() == selectors.kind() {
        return Ok(());
    }
    Err(format!("{} becomes {}", selectors.to_json(), again.to_json()))
}
