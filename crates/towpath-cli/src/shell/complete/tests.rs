use super::*;

/// Two stores with a few columns.
struct Fake;

impl Words for Fake {
    fn stores(&self) -> Vec<String> {
        vec!["org-trail".to_owned(), "org".to_owned()]
    }

    fn columns(&self, store: &str) -> Vec<Column> {
        let leaf = |name: &str| Column { name: name.to_owned(), fields: Vec::new() };
        let attributes =
            Column { name: "sessionContext".to_owned(), fields: vec![leaf("attributes")] };
        let identity = Column {
            name: "userIdentity".to_owned(),
            fields: vec![leaf("type"), leaf("arn"), attributes],
        };
        let mut columns = vec![leaf("eventName"), leaf("eventTime"), identity];
        if store == "org" {
            columns.push(leaf("onlyHere"));
        }
        columns
    }

    fn keys(&self, store: &str, column: &str) -> Vec<String> {
        match (store, column.to_ascii_lowercase().as_str()) {
            ("org-trail", "requestparameters") => {
                vec!["bucketName".to_owned(), "it's".to_owned(), "roleArn".to_owned()]
            }
            _ => Vec::new(),
        }
    }
}

/// What Tab offers at the `|` in `text`.
fn offered(text: &str) -> Vec<String> {
    let at = text.find('|').unwrap();
    let functions = ["element_at".to_owned(), "event_age".to_owned()];
    let text = text.replacen('|', "", 1);
    let completion = complete(&text, at, &Fake, &functions);
    assert!(completion.start <= at, "{text}");
    assert!(text.is_char_boundary(completion.start), "{text}");
    completion.words
}

#[test]
fn stores_come_after_from_and_join() {
    assert_eq!(offered("SELECT 1 FROM |"), ["org-trail", "org"]);
    assert_eq!(offered("select 1 from org-|"), ["org-trail"]);
    assert_eq!(offered("SELECT 1 FROM org a JOIN ORG-T| b"), ["org-trail"]);
    assert_eq!(offered("SELECT 1 FROM x|"), [] as [&str; 0]);
}

#[test]
fn columns_functions_and_keywords_come_elsewhere() {
    assert_eq!(offered("SELECT event|"), ["eventName", "eventTime", "event_age("]);
    assert_eq!(offered("SELECT eventN| FROM org-trail"), ["eventName"]);
    assert_eq!(offered("SELECT 1 FROM org WHERE only|"), ["onlyHere", "only"]);
    assert_eq!(offered("SELECT only| FROM org-trail"), ["only"]);
    assert_eq!(offered("SELECT 1 FROM org wher|"), ["where"]);
    assert_eq!(offered("SELECT 1 FROM org WHER|"), ["WHERE"]);
    assert_eq!(offered("SELECT | FROM org-trail"), ["eventName", "eventTime", "userIdentity"]);
}

#[test]
fn fields_come_after_a_dot() {
    assert_eq!(offered("SELECT userIdentity.|"), ["type", "arn", "sessionContext"]);
    assert_eq!(offered("SELECT useridentity.S| FROM org-trail"), ["sessionContext"]);
    assert_eq!(offered("SELECT userIdentity.sessionContext.|"), ["attributes"]);
    assert_eq!(offered("SELECT e.userIdentity.a| FROM org-trail e"), ["arn"]);
    assert_eq!(offered("SELECT e.eventN| FROM org-trail AS e"), ["eventName"]);
    assert_eq!(offered("SELECT nothing.|"), [] as [&str; 0]);
}

#[test]
fn keys_come_inside_the_quotes_of_a_map() {
    let expected = ["bucketName'"];
    assert_eq!(offered("SELECT element_at(requestParameters, 'b| FROM org-trail"), expected);
    assert_eq!(offered("SELECT requestParameters['B|"), expected);
    assert_eq!(offered("SELECT ELEMENT_AT(e.requestParameters, 'b|"), expected);
    assert_eq!(offered("SELECT requestParameters['b|'] FROM org-trail"), ["bucketName"]);
    assert_eq!(offered("SELECT requestParameters['it|"), ["it''s'"]);
    assert_eq!(offered("SELECT 'b|"), [] as [&str; 0]);
    assert_eq!(offered("SELECT 1 WHERE eventName = 'b|"), [] as [&str; 0]);
}

#[test]
fn commands_come_at_the_start() {
    assert_eq!(offered(".sto|"), [".stores"]);
    assert_eq!(offered(".schema o|"), ["org-trail", "org"]);
    assert_eq!(offered("\\d org-|"), ["org-trail"]);
    assert_eq!(offered(".mode nd|"), ["ndjson"]);
    assert_eq!(offered(".timing |"), ["on", "off"]);
}

#[test]
fn nothing_that_is_typed_is_too_odd() {
    for text in
        ["|", "é|", "SELECT 'é|", "SELECT \"|", "/* |", "-- |", "..|", "a.b.|", "[|", "'|", "\\|"]
    {
        offered(text);
    }
}
