//! Tags, policies, trails, channels, dashboards and the rest of what only the API knows.

use serde_json::{Value, json};

use crate::support::{Request, TestServer, event};

async fn arn_of_store(server: &TestServer, name: &str) -> Value {
    server.ok("CreateEventDataStore", json!({"Name": name})).await["EventDataStoreArn"].clone()
}

#[tokio::test(flavor = "multi_thread")]
async fn tags_are_added_replaced_listed_and_removed() {
    let server = TestServer::start().await;
    let arn = arn_of_store(&server, "store").await;
    let tags = |tags: Value| json!({"ResourceId": arn, "TagsList": tags});
    server.ok("AddTags", tags(json!([{"Key": "a", "Value": "1"}, {"Key": "b"}]))).await;
    server.ok("AddTags", tags(json!([{"Key": "a", "Value": "2"}]))).await;
    server.ok("RemoveTags", tags(json!([{"Key": "b"}]))).await;
    let listed = server.ok("ListTags", json!({"ResourceIdList": [arn]})).await;
    assert_eq!(
        listed,
        json!({"ResourceTagList": [{"ResourceId": arn, "TagsList": [{"Key": "a", "Value": "2"}]}]})
    );
    let many: Vec<Value> = (0..50).map(|n| json!({"Key": format!("k{n}")})).collect();
    assert_eq!(server.refused("AddTags", tags(json!(many))).await, "TagsLimitExceededException");
    let other = json!({"ResourceId": "arn:aws:cloudtrail:x:1:widget/a", "TagsList": []});
    assert_eq!(server.refused("AddTags", other).await, "ResourceTypeNotSupportedException");
    let missing = json!({
        "ResourceId": "arn:aws:cloudtrail:us-east-1:123456789012:dashboard/none",
        "TagsList": [{"Key": "a"}],
    });
    assert_eq!(server.refused("AddTags", missing).await, "ResourceNotFoundException");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_resource_has_one_policy_or_none() {
    let server = TestServer::start().await;
    let arn = arn_of_store(&server, "store").await;
    let this = json!({"ResourceArn": arn});
    for operation in ["GetResourcePolicy", "DeleteResourcePolicy"] {
        let code = server.refused(operation, this.clone()).await;
        assert_eq!(code, "ResourcePolicyNotFoundException");
    }
    let policy = r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow",
        "Principal":{"AWS":"111122223333"},"Action":"cloudtrail:StartQuery","Resource":"*"}]}"#;
    server.ok("PutResourcePolicy", json!({"ResourceArn": arn, "ResourcePolicy": policy})).await;
    let found = server.ok("GetResourcePolicy", this.clone()).await;
    assert_eq!(found["ResourcePolicy"], policy);
    let wrong = json!({"ResourceArn": arn, "ResourcePolicy": "{}"});
    assert_eq!(server.refused("PutResourcePolicy", wrong).await, "ResourcePolicyNotValidException");
    server.ok("DeleteResourcePolicy", this).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn event_configuration_needs_large_events_for_context() {
    let server = TestServer::start().await;
    let arn = arn_of_store(&server, "store").await;
    let found = server.ok("GetEventConfiguration", json!({"EventDataStore": arn})).await;
    assert_eq!(found["MaxEventSize"], "Standard");
    let context = json!([{"Type": "TagContext", "Equals": ["team"]}]);
    let small = json!({"EventDataStore": arn, "ContextKeySelectors": context});
    let code = server.refused("PutEventConfiguration", small).await;
    assert_eq!(code, "InvalidParameterException");
    let large =
        json!({"EventDataStore": arn, "MaxEventSize": "Large", "ContextKeySelectors": context});
    let put = server.ok("PutEventConfiguration", large).await;
    assert_eq!((&put["MaxEventSize"], &put["ContextKeySelectors"]), (&json!("Large"), &context));
    let both = json!({"EventDataStore": arn, "TrailName": "trail"});
    let code = server.refused("GetEventConfiguration", both).await;
    assert_eq!(code, "InvalidParameterCombinationException");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_trail_lives_with_its_selectors() {
    let server = TestServer::start().await;
    let create = json!({"Name": "my-trail", "S3BucketName": "bucket", "IsMultiRegionTrail": true});
    let created = server.ok("CreateTrail", create.clone()).await;
    let arn = &created["TrailARN"];
    assert_eq!(*arn, json!("arn:aws:cloudtrail:us-east-1:123456789012:trail/my-trail"));
    assert_eq!(server.refused("CreateTrail", create).await, "TrailAlreadyExistsException");
    let status = server.ok("GetTrailStatus", json!({"Name": "my-trail"})).await;
    assert_eq!(status["IsLogging"], false);
    server.ok("StartLogging", json!({"Name": arn})).await;
    let status = server.ok("GetTrailStatus", json!({"Name": arn})).await;
    assert_eq!(status["IsLogging"], true);
    assert!(status["StartLoggingTime"].is_number());
    server.ok("StopLogging", json!({"Name": arn})).await;

    let selectors = server.ok("GetEventSelectors", json!({"TrailName": "my-trail"})).await;
    assert_eq!(
        selectors["EventSelectors"],
        json!([{
            "ReadWriteType": "All",
            "IncludeManagementEvents": true,
            "DataResources": [],
            "ExcludeManagementEventSources": [],
        }])
    );
    let advanced = json!([{"FieldSelectors": [{"Field": "eventCategory", "Equals": ["Data"]},
        {"Field": "resources.type", "Equals": ["AWS::S3::Object"]}]}]);
    let put = json!({"TrailName": arn, "AdvancedEventSelectors": advanced});
    server.ok("PutEventSelectors", put).await;
    let selectors = server.ok("GetEventSelectors", json!({"TrailName": arn})).await;
    assert!(selectors.get("EventSelectors").is_none(), "{selectors}");
    assert_eq!(selectors["AdvancedEventSelectors"], advanced);
    let both =
        json!({"TrailName": arn, "EventSelectors": [{}], "AdvancedEventSelectors": advanced});
    assert_eq!(server.refused("PutEventSelectors", both).await, "InvalidEventSelectorsException");

    let trails = server.ok("DescribeTrails", json!({})).await;
    assert_eq!(trails["trailList"][0]["HasCustomEventSelectors"], true);
    let none = server.ok("DescribeTrails", json!({"trailNameList": ["other"]})).await;
    assert_eq!(none["trailList"], json!([]));
    let updated = server.ok("UpdateTrail", json!({"Name": arn, "S3KeyPrefix": "p"})).await;
    assert_eq!(
        (&updated["S3KeyPrefix"], &updated["S3BucketName"]),
        (&json!("p"), &json!("bucket"))
    );
    let off = server.refused("GetInsightSelectors", json!({"TrailName": arn})).await;
    assert_eq!(off, "InsightNotEnabledException");
    let on = json!({"TrailName": arn, "InsightSelectors": [{"InsightType": "ApiCallRateInsight"}]});
    server.ok("PutInsightSelectors", on).await;
    let found = server.ok("GetInsightSelectors", json!({"TrailName": arn})).await;
    assert_eq!(found["InsightSelectors"][0]["InsightType"], "ApiCallRateInsight");
    server.ok("DeleteTrail", json!({"Name": arn})).await;
    assert_eq!(server.refused("GetTrail", json!({"Name": arn})).await, "TrailNotFoundException");
    assert_eq!(
        server.refused("GetTrail", json!({"Name": "a b"})).await,
        "InvalidTrailNameException"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_channel_leads_to_a_store_of_its_category() {
    let server = TestServer::start().await;
    let wrong = arn_of_store(&server, "management").await;
    let selectors =
        json!([{"FieldSelectors": [{"Field": "eventCategory", "Equals": ["ActivityAuditLog"]}]}]);
    let create = json!({
        "Name": "audit",
        "AdvancedEventSelectors": selectors,
        "TerminationProtectionEnabled": false,
    });
    let store = server.ok("CreateEventDataStore", create).await["EventDataStoreArn"].clone();
    let channel = |name: &str, source: &str, store: &Value| {
        json!({
            "Name": name,
            "Source": source,
            "Destinations": [{"Type": "EVENT_DATA_STORE", "Location": store}],
        })
    };
    let code = server.refused("CreateChannel", channel("one", "Custom", &wrong)).await;
    assert_eq!(code, "InvalidEventDataStoreCategoryException");
    let created = server.ok("CreateChannel", channel("one", "Custom", &store)).await;
    let this = json!({"Channel": created["ChannelArn"]});
    for again in [channel("one", "Other", &store), channel("two", "Custom", &store)] {
        let code = server.refused("CreateChannel", again).await;
        assert_eq!(code, "ChannelAlreadyExistsException");
    }
    let found = server.ok("GetChannel", this.clone()).await;
    assert_eq!(found["Destinations"][0]["Location"], store);
    let renamed = json!({"Channel": created["ChannelArn"], "Name": "renamed"});
    assert_eq!(server.ok("UpdateChannel", renamed).await["Name"], "renamed");
    let listed = server.ok("ListChannels", json!({})).await;
    assert_eq!(listed["Channels"].as_array().unwrap().len(), 1);
    let delete = json!({"EventDataStore": store});
    let code = server.refused("DeleteEventDataStore", delete.clone()).await;
    assert_eq!(code, "ChannelExistsForEDSException");
    server.ok("DeleteChannel", this.clone()).await;
    assert_eq!(server.refused("GetChannel", this).await, "ChannelNotFoundException");
    server.ok("DeleteEventDataStore", delete).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_dashboard_is_refreshed_by_queries() {
    let server = TestServer::start().await;
    let id = server.store("trail").await;
    server.ingest(&id, &[event("GetObject", 5), event("PutObject", 5)]).await;
    let widget = json!({
        "QueryStatement": format!("SELECT eventName, count(*) AS n FROM {id} WHERE eventTime > '?' \
                                   AND eventTime < '?' GROUP BY eventName ORDER BY 1"),
        "QueryParameters": ["$StartTime$", "$EndTime$"],
        "ViewProperties": {"Height": "2", "Width": "4", "Title": "Calls", "View": "Table"},
    });
    let create =
        json!({"Name": "calls", "Widgets": [widget], "TerminationProtectionEnabled": true});
    let created = server.ok("CreateDashboard", create.clone()).await;
    assert_eq!(created["Type"], "CUSTOM");
    assert_eq!(server.refused("CreateDashboard", create).await, "ConflictException");
    let alias = created["Widgets"][0]["QueryAlias"].clone();

    let missing = json!({"DashboardId": "calls"});
    let code = server.refused("StartDashboardRefresh", missing).await;
    assert_eq!(code, "InvalidParameterException");
    let refresh = json!({"DashboardId": created["DashboardArn"], "QueryParameterValues":
        {"$StartTime$": "2020-01-01", "$EndTime$": "2099-01-01"}});
    let refresh = server.ok("StartDashboardRefresh", refresh).await["RefreshId"].clone();
    let query = json!({"QueryAlias": alias, "RefreshId": refresh});
    let query = server.ok("DescribeQuery", query).await;
    let query = query["QueryId"].as_str().unwrap();
    assert_eq!(server.ended(query).await["QueryStatus"], "FINISHED");
    let rows = server.ok("GetQueryResults", json!({"QueryId": query})).await;
    assert_eq!(
        rows["QueryResultRows"],
        json!([[{"eventName": "GetObject"}, {"n": "1"}], [{"eventName": "PutObject"}, {"n": "1"}]])
    );
    let this = json!({"DashboardId": "calls"});
    let found = server.ok("GetDashboard", this.clone()).await;
    assert_eq!((&found["LastRefreshId"], &found["Status"]), (&refresh, &json!("CREATED")));
    assert_eq!(server.refused("DeleteDashboard", this.clone()).await, "ConflictException");
    let open = json!({"DashboardId": "calls", "TerminationProtectionEnabled": false});
    server.ok("UpdateDashboard", open).await;
    assert_eq!(
        server.ok("ListDashboards", json!({})).await["Dashboards"].as_array().unwrap().len(),
        1
    );
    server.ok("DeleteDashboard", this.clone()).await;
    assert_eq!(server.refused("GetDashboard", this).await, "ResourceNotFoundException");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_off_answers_as_aws_does() {
    let server = TestServer::start().await;
    let arn = arn_of_store(&server, "store").await;
    let enable = json!({"EventDataStore": arn, "FederationRoleArn": "arn:aws:iam::1:role/r"});
    assert_eq!(server.refused("EnableFederation", enable).await, "UnsupportedOperationException");
    let disabled = server.ok("DisableFederation", json!({"EventDataStore": arn})).await;
    assert_eq!(disabled["FederationStatus"], "DISABLED");
    let member = json!({"MemberAccountId": "123456789012"});
    let code = server.refused("RegisterOrganizationDelegatedAdmin", member).await;
    assert_eq!(code, "OrganizationsNotInUseException");
}

#[tokio::test(flavor = "multi_thread")]
async fn events_of_other_sources_go_through_a_channel() {
    let server = TestServer::start().await;
    let selectors =
        json!([{"FieldSelectors": [{"Field": "eventCategory", "Equals": ["ActivityAuditLog"]}]}]);
    let create = json!({"Name": "audit", "AdvancedEventSelectors": selectors});
    let store = server.ok("CreateEventDataStore", create).await["EventDataStoreArn"].clone();
    let destinations = json!([{"Type": "EVENT_DATA_STORE", "Location": store}]);
    let create = json!({"Name": "app", "Source": "Custom", "Destinations": destinations});
    let channel = server.ok("CreateChannel", create).await["ChannelArn"].clone();
    let channel = channel.as_str().unwrap();

    let data = |account: &str| {
        json!({
            "version": "1.0",
            "userIdentity": {"type": "user", "principalId": "jane", "details": {"team": "blue"}},
            "eventSource": "app.example", "eventName": "SignIn", "UID": "7",
            "eventTime": chrono::Utc::now().format("%Y-%m-%dT%H:%M:%SZ").to_string(),
            "recipientAccountId": account,
        })
        .to_string()
    };
    let good = data("123456789012");
    let entries = json!({"auditEvents": [
        {"id": "good", "eventData": good},
        {"id": "other", "eventData": data("999999999999")},
        {"id": "sum", "eventData": good, "eventDataChecksum": "AAAA"},
    ]});
    let path =
        format!("/PutAuditEvents?channelArn={}", channel.replace(':', "%3A").replace('/', "%2F"));
    let put = async |body: &Value| {
        let request = Request {
            path: &path,
            service: "cloudtrail-data",
            target: None,
            ..Request::operation("PutAuditEvents", body)
        };
        server.send(&request).await
    };
    let answer = put(&entries).await;
    assert_eq!(answer.status, 200, "{}", answer.body);
    assert_eq!(answer.body["successful"][0]["id"], "good");
    let codes: Vec<&str> = answer.body["failed"]
        .as_array()
        .unwrap()
        .iter()
        .map(|failed| failed["errorCode"].as_str().unwrap())
        .collect();
    assert_eq!(codes, ["InvalidRecipient", "InvalidChecksum"]);
    let twice =
        json!({"auditEvents": [{"id": "a", "eventData": good}, {"id": "a", "eventData": good}]});
    assert_eq!(put(&twice).await.error(), "DuplicatedAuditEventId");

    let id = store.as_str().unwrap().rsplit('/').next().unwrap();
    let statement = format!("SELECT eventID, eventData.userIdentity.principalId AS who FROM {id}");
    let rows = server.rows(&statement).await;
    assert_eq!(
        rows,
        json!([[{"eventID": answer.body["successful"][0]["eventID"]}, {"who": "jane"}]])
    );
    let found = server.ok("GetChannel", json!({"Channel": channel})).await;
    let status = &found["IngestionStatus"];
    assert_eq!(status["LatestIngestionErrorCode"], "InvalidChecksum");
    assert!(status["LatestIngestionSuccessTime"].is_number());
}
