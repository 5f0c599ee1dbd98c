//! The table, and the columns derived from it.

use std::collections::BTreeSet;

use arrow::datatypes::{DataType, TimeUnit};
use towpath_event::{Derived, Field, Shape, TABLE, data_file_schema, leaves};

/// The columns that CloudTrail Lake documents, in its order and spelling.
const DOCUMENTED: [&str; 34] = [
    "eventversion",
    "useridentity",
    "eventtime",
    "eventsource",
    "eventname",
    "awsregion",
    "sourceipaddress",
    "useragent",
    "errorcode",
    "errormessage",
    "requestparameters",
    "responseelements",
    "additionaleventdata",
    "requestid",
    "eventid",
    "readonly",
    "resources",
    "eventtype",
    "apiversion",
    "managementevent",
    "recipientaccountid",
    "sharedeventid",
    "annotation",
    "vpcendpointid",
    "vpcendpointaccountid",
    "serviceeventdetails",
    "addendum",
    "edgedevicedetails",
    "insightdetails",
    "eventcategory",
    "tlsdetails",
    "sessioncredentialfromconsole",
    "eventjson",
    "eventjsonchecksum",
];

#[test]
fn the_table_begins_with_the_documented_columns() {
    let names: Vec<String> = TABLE.iter().map(|column| column.name.to_lowercase()).collect();
    assert_eq!(names[..34], DOCUMENTED);
    assert_eq!(names[34..], ["eventcontext", "calendarday"]);
}

#[test]
fn rows_begin_with_the_documented_fields() {
    assert_eq!(
        row_type("userIdentity"),
        concat!(
            "row(type,principalid,arn,accountid,accesskeyid,username,",
            "sessioncontext row(attributes row(creationdate timestamp,mfaauthenticated),",
            "sessionissuer row(type,principalid,arn,accountid,username),",
            "webidfederationdata row(federatedprovider,attributes map),",
            "sourceidentity,ec2roledelivery,ec2issuedinvpc,assumedroot),",
            "onbehalfof row(userid,identitystorearn),",
            "inscopeof row(sourcearn,sourceaccount,issuertype,credentialsissuedto),",
            "invokedby,identityprovider,credentialid,invokedbydelegate row(accountid))"
        )
    );
    assert_eq!(
        row_type("tlsDetails"),
        "row(tlsversion,ciphersuite,clientprovidedhostheader,keyexchange)"
    );
    assert_eq!(row_type("eventContext"), "row(requestcontext map,tagcontext map)");
}

#[test]
fn other_columns_have_the_documented_types() {
    let of_shape = |shape: Shape| {
        let named = TABLE.iter().filter(|column| column.shape == shape);
        named.map(|column| column.name).collect::<Vec<_>>()
    };
    assert_eq!(of_shape(Shape::Timestamp), ["eventTime"]);
    assert_eq!(of_shape(Shape::Boolean), ["readOnly", "managementEvent"]);
    assert_eq!(of_shape(Shape::Resources), ["resources"]);
    assert_eq!(of_shape(Shape::Derived(Derived::EventJsonChecksum)), ["eventJsonChecksum"]);
    assert_eq!(of_shape(Shape::Derived(Derived::CalendarDay)), ["calendarday"]);
    assert_eq!(
        of_shape(Shape::MapOfVarchar),
        [
            "requestParameters",
            "responseElements",
            "additionalEventData",
            "serviceEventDetails",
            "addendum",
            "edgeDeviceDetails",
            "insightDetails",
        ]
    );
    assert_eq!(of_shape(Shape::EventText), ["eventJson"]);
    assert_eq!(of_shape(Shape::Varchar).len(), 34 - 1 - 2 - 1 - 1 - 7 - 2 - 1);
}

#[test]
fn physical_columns_are_the_leaves_of_the_table_in_order() {
    let schema = data_file_schema();
    assert_eq!(schema.fields().len(), leaves().len());
    for (leaf, field) in leaves().zip(schema.fields()) {
        assert_eq!(leaf.column, leaf.path.join("_"));
        assert_eq!((&leaf.column, &leaf.data_type), (field.name(), field.data_type()));
        assert_eq!(Some(&leaf.data_type), leaf.shape.data_type().as_ref());
        assert!(field.is_nullable());
    }
    let first: Vec<&str> = leaves().map(|leaf| leaf.column.as_str()).take(9).collect();
    assert_eq!(
        first,
        [
            "eventVersion",
            "userIdentity_type",
            "userIdentity_principalId",
            "userIdentity_arn",
            "userIdentity_accountId",
            "userIdentity_accessKeyId",
            "userIdentity_userName",
            "userIdentity_sessionContext_attributes_creationDate",
            "userIdentity_sessionContext_attributes_mfaAuthenticated",
        ]
    );
    let last: Vec<&str> =
        leaves().map(|leaf| leaf.column.as_str()).skip(leaves().len() - 4).collect();
    assert_eq!(
        last,
        [
            "eventJson_template",
            "eventJson_rest",
            "eventContext_requestContext",
            "eventContext_tagContext",
        ]
    );
}

#[test]
fn physical_names_differ_even_without_regard_to_letter_case() {
    let names: BTreeSet<String> = leaves().map(|leaf| leaf.column.to_lowercase()).collect();
    assert_eq!(names.len(), leaves().len());
}

#[test]
fn types_are_those_that_delta_and_parquet_expect() {
    let schema = data_file_schema();
    let type_of = |name: &str| schema.field_with_name(name).unwrap().data_type().clone();
    let utc_micros = DataType::Timestamp(TimeUnit::Microsecond, Some("UTC".into()));
    assert_eq!(type_of("eventTime"), utc_micros);
    assert_eq!(type_of("userIdentity_sessionContext_attributes_creationDate"), utc_micros);
    assert_eq!(type_of("eventJson_template"), DataType::Utf8);
    assert_eq!(
        type_of("requestParameters").to_string(),
        r#"Map("key_value": non-null Struct("key": non-null Utf8, "value": Utf8), unsorted)"#
    );
    assert_eq!(
        type_of("resources").to_string(),
        r#"List(Struct("accountId": Utf8, "type": Utf8, "arn": Utf8, "arnPrefix": Utf8), field: 'element')"#
    );
}

#[test]
fn every_column_and_field_is_described_by_a_sentence() {
    fn check(name: &str, shape: Shape, doc: &str) {
        assert!(doc.ends_with('.') || doc.ends_with("..."), "{name}: {doc}");
        if let Shape::Row(fields) = shape {
            fields.iter().for_each(|field| check(field.name, field.shape, field.doc));
        }
    }
    TABLE.iter().for_each(|column| check(column.name, column.shape, column.doc));
}

/// The row of a column as the documentation prints it, without `:string`.
fn row_type(column: &str) -> String {
    let column = TABLE.iter().find(|candidate| candidate.name == column).unwrap();
    let Shape::Row(fields) = column.shape else { panic!("{column:?} is no row") };
    row_of(fields)
}

fn row_of(fields: &[Field]) -> String {
    let fields: Vec<String> = fields
        .iter()
        .map(|field| {
            let kind = match field.shape {
                Shape::Row(inner) => format!(" {}", row_of(inner)),
                Shape::MapOfVarchar => " map".to_owned(),
                Shape::Timestamp => " timestamp".to_owned(),
                _ => String::new(),
            };
            format!("{}{kind}", field.name.to_lowercase())
        })
        .collect();
    format!("row({})", fields.join(","))
}
