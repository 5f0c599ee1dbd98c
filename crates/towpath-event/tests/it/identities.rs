//! Who made the request: every kind of identity, in every version of the event format.

use crate::cells::{Cell, Cells, cells_of_fields};

/// The columns of `userIdentity` that are not null, without that prefix.
fn identity_cells(identity: &str) -> Vec<(String, Cell)> {
    present(&cells_of_fields(&format!(r#""userIdentity":{identity}"#)), "userIdentity_")
}

fn present(cells: &Cells, prefix: &str) -> Vec<(String, Cell)> {
    cells
        .iter()
        .filter(|(_, cell)| **cell != Cell::Null)
        .filter_map(|(column, cell)| Some((column.strip_prefix(prefix)?.to_owned(), cell.clone())))
        .collect()
}

fn texts(expected: &[(&str, &str)]) -> Vec<(String, Cell)> {
    expected.iter().map(|(column, text)| ((*column).to_owned(), Cell::text(text))).collect()
}

#[test]
fn long_term_and_account_identities_fill_the_plain_fields() {
    for (identity, expected) in [
        (
            r#"{"type":"Root","principalId":"1","arn":"arn:aws:iam::1:root","accountId":"1","accessKeyId":"","userName":"alias"}"#,
            &[
                ("accessKeyId", ""),
                ("accountId", "1"),
                ("arn", "arn:aws:iam::1:root"),
                ("principalId", "1"),
                ("type", "Root"),
                ("userName", "alias"),
            ][..],
        ),
        (
            r#"{"type":"IAMUser","principalId":"AIDA","accessKeyId":"AKIA","userName":"alice"}"#,
            &[
                ("accessKeyId", "AKIA"),
                ("principalId", "AIDA"),
                ("type", "IAMUser"),
                ("userName", "alice"),
            ],
        ),
        (
            r#"{"type":"AWSAccount","principalId":"AROA:s","accountId":"2"}"#,
            &[("accountId", "2"), ("principalId", "AROA:s"), ("type", "AWSAccount")],
        ),
        (
            r#"{"type":"AWSService","invokedBy":"ec2.amazonaws.com"}"#,
            &[("invokedBy", "ec2.amazonaws.com"), ("type", "AWSService")],
        ),
        (
            r#"{"accountId":"2","invokedBy":"AWS Internal"}"#,
            &[("accountId", "2"), ("invokedBy", "AWS Internal")],
        ),
        (
            r#"{"type":"SAMLUser","principalId":"p","userName":"u","identityProvider":"idp"}"#,
            &[
                ("identityProvider", "idp"),
                ("principalId", "p"),
                ("type", "SAMLUser"),
                ("userName", "u"),
            ],
        ),
        (r#"{"type":"Directory","userName":"u"}"#, &[("type", "Directory"), ("userName", "u")]),
        (r#"{"type":"Unknown"}"#, &[("type", "Unknown")]),
        (r#"{"type":"Role","userName":"u"}"#, &[("type", "Role"), ("userName", "u")]),
    ] {
        assert_eq!(identity_cells(identity), texts(expected), "{identity}");
    }
}

#[test]
fn identities_of_other_services_fill_their_rows() {
    for (identity, expected) in [
        (
            r#"{"type":"IdentityCenterUser","accountId":"1","onBehalfOf":{"userId":"u","identityStoreArn":"s"},"credentialId":"c"}"#,
            &[
                ("accountId", "1"),
                ("credentialId", "c"),
                ("onBehalfOf_identityStoreArn", "s"),
                ("onBehalfOf_userId", "u"),
                ("type", "IdentityCenterUser"),
            ][..],
        ),
        (
            r#"{"type":"AssumedRole","inScopeOf":{"sourceArn":"s","sourceAccount":"1","issuerType":"AWS::Lambda::Function","credentialsIssuedTo":"f"},"invokedByDelegate":{"accountId":"9"}}"#,
            &[
                ("inScopeOf_credentialsIssuedTo", "f"),
                ("inScopeOf_issuerType", "AWS::Lambda::Function"),
                ("inScopeOf_sourceAccount", "1"),
                ("inScopeOf_sourceArn", "s"),
                ("invokedByDelegate_accountId", "9"),
                ("type", "AssumedRole"),
            ],
        ),
    ] {
        assert_eq!(identity_cells(identity), texts(expected), "{identity}");
    }
}

#[test]
fn sessions_of_roles_and_federated_users_fill_the_session_context() {
    let identity = concat!(
        r#"{"type":"AssumedRole","sessionContext":{"sessionIssuer":{"type":"Role","#,
        r#""principalId":"AROA","arn":"arn:r","accountId":"1","userName":"admin"},"#,
        r#""webIdFederationData":{"federatedProvider":"accounts.google.com","#,
        r#""attributes":{"accounts.google.com:aud":"x"}},"attributes":{"creationDate":"#,
        r#""2023-07-10T12:00:00Z","mfaAuthenticated":"false"},"assumedRoot":"true","#,
        r#""sourceIdentity":"alice","ec2RoleDelivery":"2.0","ec2IssuedInVpc":"vpc-1"},"arn":"arn:s"}"#
    );
    let cells = identity_cells(identity);
    let mut expected = texts(&[
        ("arn", "arn:s"),
        ("sessionContext_assumedRoot", "true"),
        ("sessionContext_attributes_mfaAuthenticated", "false"),
        ("sessionContext_ec2IssuedInVpc", "vpc-1"),
        ("sessionContext_ec2RoleDelivery", "2.0"),
        ("sessionContext_sessionIssuer_accountId", "1"),
        ("sessionContext_sessionIssuer_arn", "arn:r"),
        ("sessionContext_sessionIssuer_principalId", "AROA"),
        ("sessionContext_sessionIssuer_type", "Role"),
        ("sessionContext_sessionIssuer_userName", "admin"),
        ("sessionContext_sourceIdentity", "alice"),
        ("sessionContext_webIdFederationData_federatedProvider", "accounts.google.com"),
        ("type", "AssumedRole"),
    ]);
    expected.push((
        "sessionContext_attributes_creationDate".to_owned(),
        Cell::Micros(1_688_990_400_000_000),
    ));
    expected.push((
        "sessionContext_webIdFederationData_attributes".to_owned(),
        Cell::map(&[("accounts.google.com:aud", Some("x"))]),
    ));
    expected.sort_by(|a, b| a.0.cmp(&b.0));
    assert_eq!(cells, expected);
}

#[test]
fn the_creation_date_of_a_session_is_read_in_both_forms() {
    for (date, expected) in [
        (r#""20131102T010628Z""#, Cell::Micros(1_383_354_388_000_000)),
        (r#""2013-11-02T01:06:28Z""#, Cell::Micros(1_383_354_388_000_000)),
        (r#""Nov 2, 2013""#, Cell::Null),
        ("1383354388", Cell::Null),
    ] {
        let cells = cells_of_fields(&format!(
            r#""userIdentity":{{"sessionContext":{{"attributes":{{"creationDate":{date}}}}}}}"#
        ));
        assert_eq!(
            cells["userIdentity_sessionContext_attributes_creationDate"], expected,
            "{date}"
        );
    }
}

#[test]
fn the_source_of_a_session_is_read_from_either_place() {
    for (context, expected) in [
        (r#"{"sourceIdentity":"own"}"#, Cell::text("own")),
        (r#"{"attributes":{"sourceIdentity":"nested"}}"#, Cell::text("nested")),
        (r#"{"sourceIdentity":"own","attributes":{"sourceIdentity":"nested"}}"#, Cell::text("own")),
        (r#"{"attributes":{"sourceIdentity":"nested"},"sourceIdentity":"own"}"#, Cell::text("own")),
        (
            r#"{"attributes":{"sourceIdentity":"nested"},"sourceIdentity":null}"#,
            Cell::text("nested"),
        ),
        (r#"{"attributes":{"sourceIdentity":"nested"},"attributes":{}}"#, Cell::Null),
        (r#"{"attributes":{"sourceIdentity":"nested"},"attributes":7}"#, Cell::Null),
        (r#"{"sourceIdentity":"own","attributes":{},"attributes":{}}"#, Cell::text("own")),
        (r#"{"sourceIdentity":"own"},"sessionContext":{}"#, Cell::Null),
        (r#"{"sourceIdentity":7}"#, Cell::text("7")),
    ] {
        let cells = cells_of_fields(&format!(r#""userIdentity":{{"sessionContext":{context}}}"#));
        assert_eq!(cells["userIdentity_sessionContext_sourceIdentity"], expected, "{context}");
    }
    let cells = cells_of_fields(
        r#""userIdentity":{"sessionContext":{"attributes":{"ec2RoleDelivery":"1.0","ec2IssuedInVpc":"v"}}}"#,
    );
    assert_eq!(cells["userIdentity_sessionContext_ec2RoleDelivery"], Cell::text("1.0"));
    assert_eq!(cells["userIdentity_sessionContext_ec2IssuedInVpc"], Cell::text("v"));
}

#[test]
fn an_identity_or_session_of_a_wrong_shape_is_null() {
    for identity in ["null", "\"root\"", "7", "[]", "[{\"arn\":\"x\"}]", "{}"] {
        assert_eq!(identity_cells(identity), [], "{identity}");
    }
    for session in ["null", "\"s\"", "[{}]", "{}", r#"{"sessionIssuer":{},"attributes":"x"}"#] {
        let identity = format!(r#"{{"type":"AssumedRole","sessionContext":{session},"arn":"a"}}"#);
        let expected = texts(&[("arn", "a"), ("type", "AssumedRole")]);
        assert_eq!(identity_cells(&identity), expected, "{session}");
    }
}

#[test]
fn tls_details_may_be_partial() {
    let cells = cells_of_fields(
        r#""tlsDetails":{"tlsVersion":"TLSv1.3","keyExchange":"X25519MLKEM768","other":1}"#,
    );
    let expected = texts(&[("keyExchange", "X25519MLKEM768"), ("tlsVersion", "TLSv1.3")]);
    assert_eq!(present(&cells, "tlsDetails_"), expected);
}

#[test]
fn events_of_every_version_are_read() {
    for version in [
        "1.0", "1.00", "1.01", "1.02", "1.03", "1.04", "1.05", "1.06", "1.07", "1.08", "1.09",
        "1.10", "1.11", "2.0",
    ] {
        let cells = cells_of_fields(&format!(
            r#""eventVersion":"{version}","eventName":"x","fieldOf{version}":{{"a":[1]}}"#
        ));
        assert_eq!(cells["eventVersion"], Cell::text(version));
        assert_eq!(cells["eventName"], Cell::text("x"));
    }
}

#[test]
fn insight_and_network_activity_records_are_events_like_others() {
    let cells = cells_of_fields(concat!(
        r#""eventVersion":"1.07","awsRegion":"us-east-1","eventID":"e","#,
        r#""eventType":"AwsCloudTrailInsight","recipientAccountId":"1","sharedEventID":"s","#,
        r#""insightDetails":{"state":"Start","eventSource":"ssm.amazonaws.com","#,
        r#""insightContext":{"statistics":{"baseline":{"average":0.0000882145}}}}"#
    ));
    assert_eq!(cells["eventCategory"], Cell::text("Insight"));
    let expected = Cell::map(&[
        ("state", Some("Start")),
        ("eventSource", Some("ssm.amazonaws.com")),
        ("insightContext", Some(r#"{"statistics":{"baseline":{"average":0.0000882145}}}"#)),
    ]);
    assert_eq!(cells["insightDetails"], expected);

    let cells = cells_of_fields(concat!(
        r#""eventType":"AwsVpceEvent","eventCategory":"NetworkActivity","#,
        r#""vpcEndpointId":"vpce-1","vpcEndpointAccountId":"2","errorCode":"VpceAccessDenied""#
    ));
    assert_eq!(cells["eventCategory"], Cell::text("NetworkActivity"));
    assert_eq!(cells["vpcEndpointAccountId"], Cell::text("2"));
}
