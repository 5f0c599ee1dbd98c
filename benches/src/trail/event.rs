//! One CloudTrail event, and its JSON text with the fields in CloudTrail's own order.

use super::company::Caller;
use super::json::{Json, object};
use super::moment::Moment;
use super::random::Random;

/// One event of the trail.
///
/// Built by [`Event::call`] and its siblings, completed by the builder methods, given its
/// identifiers by [`Event::numbered`] when its place in the story is known.
#[derive(Clone, Debug)]
pub(crate) struct Event {
    pub(crate) moment: Moment,
    pub(crate) region: String,
    /// The account in whose trail the event is.
    pub(crate) recipient: String,
    pub(crate) category: &'static str,
    source: String,
    name: String,
    caller: Caller,
    version: Option<&'static str>,
    event_type: &'static str,
    event_id: Option<String>,
    request_id: Option<String>,
    read_only: bool,
    tls_version: &'static str,
    error: Option<(String, String)>,
    request: Json,
    response: Json,
    additional: Option<Json>,
    resources: Option<Json>,
    /// Fields after the usual ones, in the order given.
    extra: Vec<(&'static str, Json)>,
    /// Fields that this event, unlike others, does not have.
    without: Vec<&'static str>,
}

/// An event as it is delivered: its text, and what decides where it is delivered.
#[derive(Clone, Debug)]
pub(crate) struct Record {
    pub(crate) moment: Moment,
    pub(crate) region: String,
    /// The account in whose trail the event is.
    pub(crate) account: String,
    /// Whether it is a network activity event, which has a folder of its own.
    pub(crate) network_activity: bool,
    pub(crate) text: String,
}

impl Event {
    /// A management event: `name` of the API of `service` was called.
    pub(crate) fn call(
        moment: Moment,
        region: &str,
        caller: &Caller,
        service: &str,
        name: &str,
    ) -> Event {
        Event {
            moment,
            region: String::from(region),
            recipient: caller.account.clone(),
            category: "Management",
            source: format!("{service}.amazonaws.com"),
            name: String::from(name),
            caller: caller.clone(),
            version: None,
            event_type: "AwsApiCall",
            event_id: None,
            request_id: None,
            read_only: is_read(name),
            tls_version: "TLSv1.3",
            error: None,
            request: Json::Null,
            response: Json::Null,
            additional: None,
            resources: None,
            extra: Vec::new(),
            without: Vec::new(),
        }
    }

    pub(crate) fn request(self, request: Json) -> Event {
        Event { request, ..self }
    }

    pub(crate) fn response(self, response: Json) -> Event {
        Event { response, ..self }
    }

    pub(crate) fn additional(self, additional: Json) -> Event {
        Event { additional: Some(additional), ..self }
    }

    pub(crate) fn resources(self, resources: Json) -> Event {
        Event { resources: Some(resources), ..self }
    }

    /// The call was refused, so there is no response either.
    pub(crate) fn error(self, code: &str, message: &str) -> Event {
        let error = Some((String::from(code), String::from(message)));
        Event { error, response: Json::Null, ..self }
    }

    /// The call failed with a message only, and has a response all the same, as sign-ins do.
    pub(crate) fn failed_with(self, message: &str) -> Event {
        self.with("errorMessage", message)
    }

    /// Whether the call only reads.
    pub(crate) fn is_read_only(&self) -> bool {
        self.read_only
    }

    /// The caller may not do this, in the words IAM uses.
    pub(crate) fn denied(self) -> Event {
        let arn = match &self.caller.identity {
            Json::Object(fields) => fields.iter().find(|(key, _)| key == "arn"),
            _ => None,
        };
        let arn = arn.map_or_else(|| String::from("\"anonymous\""), |(_, arn)| arn.to_text());
        let service = self.source.replace(".amazonaws.com", "");
        let message = format!(
            "User: {} is not authorized to perform: {service}:{} because no identity-based policy \
             allows the action",
            arn.replace('"', ""),
            self.name,
        );
        let code = match service.as_str() {
            "ec2" => "Client.UnauthorizedOperation",
            "kms" | "secretsmanager" | "lambda" => "AccessDeniedException",
            _ => "AccessDenied",
        };
        self.error(code, &message)
    }

    /// The event is a data event.
    pub(crate) fn data(self) -> Event {
        Event { category: "Data", ..self }
    }

    pub(crate) fn category(self, category: &'static str) -> Event {
        Event { category, ..self }
    }

    pub(crate) fn event_type(self, event_type: &'static str) -> Event {
        Event { event_type, ..self }
    }

    pub(crate) fn version(self, version: &'static str) -> Event {
        Event { version: Some(version), ..self }
    }

    pub(crate) fn tls(self, tls_version: &'static str) -> Event {
        Event { tls_version, ..self }
    }

    /// The event is in the trail of `account`, which is not the caller's.
    pub(crate) fn recipient(self, account: &str) -> Event {
        Event { recipient: String::from(account), ..self }
    }

    pub(crate) fn in_region(self, region: &str) -> Event {
        Event { region: String::from(region), ..self }
    }

    pub(crate) fn event_id(self, event_id: &str) -> Event {
        Event { event_id: Some(String::from(event_id)), ..self }
    }

    pub(crate) fn with(mut self, field: &'static str, value: impl Into<Json>) -> Event {
        self.extra.push((field, value.into()));
        self
    }

    pub(crate) fn without(mut self, field: &'static str) -> Event {
        self.without.push(field);
        self
    }

    /// Gives the event the identifiers it has not got yet.
    pub(crate) fn numbered(mut self, random: &mut Random) -> Event {
        if self.event_id.is_none() {
            self.event_id = Some(random.uuid());
        }
        if self.request_id.is_none() {
            // S3 has request ids of its own form.
            let is_s3 = self.source.starts_with("s3.");
            self.request_id = Some(if is_s3 { random.base32(16) } else { random.uuid() });
        }
        self
    }

    pub(crate) fn into_record(self) -> Record {
        Record {
            text: self.to_text(),
            moment: self.moment,
            network_activity: self.category == "NetworkActivity",
            region: self.region,
            account: self.recipient,
        }
    }

    /// The event's exact JSON text.
    pub(crate) fn to_text(&self) -> String {
        let mut fields: Vec<(&'static str, Json)> = vec![
            ("eventVersion", Json::from(self.version.unwrap_or_else(|| current_version(self)))),
            ("userIdentity", self.caller.identity.clone()),
            ("eventTime", Json::from(self.moment.to_string())),
            ("eventSource", Json::from(&self.source)),
            ("eventName", Json::from(&self.name)),
            ("awsRegion", Json::from(&self.region)),
            ("sourceIPAddress", Json::from(&self.caller.address)),
            ("userAgent", Json::from(&self.caller.agent)),
        ];
        if let Some((code, message)) = &self.error {
            fields.push(("errorCode", Json::from(code)));
            fields.push(("errorMessage", Json::from(message)));
        }
        fields.push(("requestParameters", self.request.clone()));
        fields.push(("responseElements", self.response.clone()));
        self.push_identifiers(&mut fields);
        fields.retain(|(name, _)| !self.without.contains(name));
        let fields = fields.into_iter().map(|(name, value)| (String::from(name), value)).collect();
        Json::Object(fields).to_text()
    }

    fn push_identifiers(&self, fields: &mut Vec<(&'static str, Json)>) {
        if let Some(additional) = &self.additional {
            fields.push(("additionalEventData", additional.clone()));
        }
        if let Some(request_id) = &self.request_id {
            fields.push(("requestID", Json::from(request_id)));
        }
        if let Some(event_id) = &self.event_id {
            fields.push(("eventID", Json::from(event_id)));
        }
        fields.push(("readOnly", Json::from(self.read_only)));
        if let Some(resources) = &self.resources {
            fields.push(("resources", resources.clone()));
        }
        fields.push(("eventType", Json::from(self.event_type)));
        fields.push(("managementEvent", Json::from(self.category == "Management")));
        fields.push(("recipientAccountId", Json::from(&self.recipient)));
        fields.extend(self.extra.iter().cloned());
        fields.push(("eventCategory", Json::from(self.category)));
        if self.caller.tls && self.event_type == "AwsApiCall" {
            fields.push(("tlsDetails", self.tls_details()));
        }
        if self.caller.console && self.event_type == "AwsApiCall" {
            fields.push(("sessionCredentialFromConsole", Json::from("true")));
        }
    }

    fn tls_details(&self) -> Json {
        let suite = match self.tls_version {
            "TLSv1.3" => "TLS_AES_128_GCM_SHA256",
            "TLSv1.2" => "ECDHE-RSA-AES128-GCM-SHA256",
            _ => "ECDHE-RSA-AES128-SHA",
        };
        let host = self.source.replace(".amazonaws.com", "");
        object! {
            "tlsVersion": self.tls_version,
            "cipherSuite": suite,
            "clientProvidedHostHeader": format!("{host}.{}.amazonaws.com", self.region),
        }
    }
}

/// The event version that CloudTrail wrote in our story at the time of `event`.
fn current_version(event: &Event) -> &'static str {
    let steps = [
        (Moment::day(2025, 3, 1), "1.11"),
        (Moment::day(2024, 9, 1), "1.10"),
        (Moment::day(2024, 3, 1), "1.09"),
    ];
    let step = steps.iter().find(|(since, _)| event.moment >= *since);
    step.map_or("1.08", |(_, version)| version)
}

/// Whether a call of this name only reads.
fn is_read(name: &str) -> bool {
    const PREFIXES: &[&str] =
        &["Get", "List", "Describe", "Head", "Lookup", "Query", "Scan", "AssumeRole", "BatchGet"];
    const NAMES: &[&str] = &["Decrypt", "Encrypt", "GenerateDataKey", "SimulatePrincipalPolicy"];
    PREFIXES.iter().any(|prefix| name.starts_with(prefix)) || NAMES.contains(&name)
}
