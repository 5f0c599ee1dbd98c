//! What every operation takes: names, types, lengths, ranges, patterns and enumerations of all
//! members, and the errors that AWS declares for it.
//!
//! Facts of AWS's published API model, version 2013-11-01 of `cloudtrail` and 2021-08-11 of
//! `cloudtrail-data`, as a table. Clients check required members and minimums at most; everything
//! else is checked by [`super::validate()`] from here.

use super::{Member, Operation, Shape, matching, optional, required, text};

/// The operations of `cloudtrail`, by name.
pub(crate) static OPERATIONS: &[Operation] = &[
    Operation {
        name: "AddTags",
        input: &[required("ResourceId", &TEXT), required("TagsList", &TAGS_LIST)],
        errors: "ChannelARNInvalid ChannelNotFound CloudTrailARNInvalid Conflict \
              EventDataStoreARNInvalid EventDataStoreNotFound InactiveEventDataStore \
              InvalidTagParameter InvalidTrailName NoManagementAccountSLRExists \
              NotOrganizationMasterAccount OperationNotPermitted ResourceNotFound \
              ResourceTypeNotSupported TagsLimitExceeded UnsupportedOperation",
    },
    Operation {
        name: "CancelQuery",
        input: &[
            optional("EventDataStore", &EVENT_DATA_STORE_ARN),
            required("QueryId", &UUID),
            optional("EventDataStoreOwnerAccountId", &ACCOUNT_ID),
        ],
        errors: "Conflict EventDataStoreARNInvalid EventDataStoreNotFound InactiveEventDataStore \
              InactiveQuery InvalidParameter NoManagementAccountSLRExists OperationNotPermitted \
              QueryIdNotFound UnsupportedOperation",
    },
    Operation {
        name: "CreateChannel",
        input: &[
            required("Name", &CHANNEL_NAME),
            required("Source", &SOURCE),
            required("Destinations", &DESTINATIONS),
            optional("Tags", &TAGS_LIST),
        ],
        errors: "ChannelAlreadyExists ChannelMaxLimitExceeded EventDataStoreARNInvalid \
              EventDataStoreNotFound InactiveEventDataStore InvalidEventDataStoreCategory \
              InvalidParameter InvalidSource InvalidTagParameter OperationNotPermitted \
              TagsLimitExceeded UnsupportedOperation",
    },
    Operation {
        name: "CreateDashboard",
        input: &[
            required("Name", &DASHBOARD_NAME),
            optional("RefreshSchedule", &REFRESH_SCHEDULE),
            optional("TagsList", &TAGS_LIST),
            optional("TerminationProtectionEnabled", &BOOLEAN),
            optional("Widgets", &REQUEST_WIDGET_LIST),
        ],
        errors: "Conflict EventDataStoreNotFound InactiveEventDataStore InsufficientEncryptionPolicy \
              InvalidQueryStatement InvalidTagParameter ServiceQuotaExceeded UnsupportedOperation",
    },
    Operation {
        name: "CreateEventDataStore",
        input: &[
            required("Name", &EVENT_DATA_STORE_NAME),
            optional("AdvancedEventSelectors", &ADVANCED_EVENT_SELECTORS),
            optional("MultiRegionEnabled", &BOOLEAN),
            optional("OrganizationEnabled", &BOOLEAN),
            optional("RetentionPeriod", &RETENTION_PERIOD),
            optional("TerminationProtectionEnabled", &BOOLEAN),
            optional("TagsList", &TAGS_LIST),
            optional("KmsKeyId", &EVENT_DATA_STORE_KMS_KEY_ID),
            optional("StartIngestion", &BOOLEAN),
            optional("BillingMode", &BILLING_MODE),
        ],
        errors: "CloudTrailAccessNotEnabled Conflict EventDataStoreAlreadyExists \
              EventDataStoreMaxLimitExceeded InsufficientDependencyServiceAccessPermission \
              InsufficientEncryptionPolicy InvalidEventSelectors InvalidKmsKeyId InvalidParameter \
              InvalidTagParameter Kms KmsKeyNotFound NoManagementAccountSLRExists \
              NotOrganizationMasterAccount OperationNotPermitted OrganizationNotInAllFeaturesMode \
              OrganizationsNotInUse Throttling UnsupportedOperation",
    },
    Operation {
        name: "CreateTrail",
        input: &[
            required("Name", &TEXT),
            required("S3BucketName", &TEXT),
            optional("S3KeyPrefix", &TEXT),
            optional("SnsTopicName", &TEXT),
            optional("IncludeGlobalServiceEvents", &BOOLEAN),
            optional("IsMultiRegionTrail", &BOOLEAN),
            optional("EnableLogFileValidation", &BOOLEAN),
            optional("CloudWatchLogsLogGroupArn", &TEXT),
            optional("CloudWatchLogsRoleArn", &TEXT),
            optional("KmsKeyId", &TEXT),
            optional("IsOrganizationTrail", &BOOLEAN),
            optional("TagsList", &TAGS_LIST),
            optional("RecursiveLogging", &BOOLEAN),
        ],
        errors: "CloudTrailAccessNotEnabled CloudTrailInvalidClientTokenId \
              CloudWatchLogsDeliveryUnavailable Conflict \
              InsufficientDependencyServiceAccessPermission InsufficientEncryptionPolicy \
              InsufficientS3BucketPolicy InsufficientSnsTopicPolicy \
              InvalidCloudWatchLogsLogGroupArn InvalidCloudWatchLogsRoleArn InvalidKmsKeyId \
              InvalidParameterCombination InvalidParameter InvalidS3BucketName InvalidS3Prefix \
              InvalidSnsTopicName InvalidTagParameter InvalidTrailName Kms KmsKeyDisabled \
              KmsKeyNotFound MaximumNumberOfTrailsExceeded NoManagementAccountSLRExists \
              NotOrganizationMasterAccount OperationNotPermitted OrganizationNotInAllFeaturesMode \
              OrganizationsNotInUse S3BucketDoesNotExist TagsLimitExceeded Throttling \
              TrailAlreadyExists TrailNotProvided UnsupportedOperation",
    },
    Operation {
        name: "DeleteChannel",
        input: &[required("Channel", &CHANNEL_ARN)],
        errors: "ChannelARNInvalid ChannelNotFound OperationNotPermitted UnsupportedOperation",
    },
    Operation {
        name: "DeleteDashboard",
        input: &[required("DashboardId", &DASHBOARD_ARN)],
        errors: "Conflict ResourceNotFound UnsupportedOperation",
    },
    Operation {
        name: "DeleteEventDataStore",
        input: &[required("EventDataStore", &EVENT_DATA_STORE_ARN)],
        errors: "ChannelExistsForEDS Conflict EventDataStoreARNInvalid \
              EventDataStoreFederationEnabled EventDataStoreHasOngoingImport \
              EventDataStoreNotFound EventDataStoreTerminationProtected InactiveEventDataStore \
              InsufficientDependencyServiceAccessPermission InvalidParameter \
              NoManagementAccountSLRExists NotOrganizationMasterAccount OperationNotPermitted \
              UnsupportedOperation",
    },
    Operation {
        name: "DeleteResourcePolicy",
        input: &[required("ResourceArn", &RESOURCE_ARN)],
        errors: "Conflict OperationNotPermitted ResourceARNNotValid ResourceNotFound \
              ResourcePolicyNotFound ResourceTypeNotSupported UnsupportedOperation",
    },
    Operation {
        name: "DeleteTrail",
        input: &[required("Name", &TEXT)],
        errors: "CloudTrailARNInvalid Conflict InsufficientDependencyServiceAccessPermission \
              InvalidHomeRegion InvalidTrailName NoManagementAccountSLRExists \
              NotOrganizationMasterAccount OperationNotPermitted Throttling TrailNotFound \
              UnsupportedOperation",
    },
    Operation {
        name: "DeregisterOrganizationDelegatedAdmin",
        input: &[required("DelegatedAdminAccountId", &ACCOUNT_ID)],
        errors: "AccountNotFound AccountNotRegistered CloudTrailAccessNotEnabled Conflict \
              InsufficientDependencyServiceAccessPermission InvalidParameter \
              NotOrganizationManagementAccount OperationNotPermitted \
              OrganizationNotInAllFeaturesMode OrganizationsNotInUse UnsupportedOperation",
    },
    Operation {
        name: "DescribeQuery",
        input: &[
            optional("EventDataStore", &EVENT_DATA_STORE_ARN),
            optional("QueryId", &UUID),
            optional("QueryAlias", &QUERY_ALIAS),
            optional("RefreshId", &REFRESH_ID),
            optional("EventDataStoreOwnerAccountId", &ACCOUNT_ID),
        ],
        errors: "EventDataStoreARNInvalid EventDataStoreNotFound InactiveEventDataStore \
              InvalidParameter NoManagementAccountSLRExists OperationNotPermitted QueryIdNotFound \
              UnsupportedOperation",
    },
    Operation {
        name: "DescribeTrails",
        input: &[
            optional("trailNameList", &TRAIL_NAME_LIST),
            optional("includeShadowTrails", &BOOLEAN),
        ],
        errors: "CloudTrailARNInvalid InvalidTrailName NoManagementAccountSLRExists \
              OperationNotPermitted UnsupportedOperation",
    },
    Operation {
        name: "DisableFederation",
        input: &[required("EventDataStore", &EVENT_DATA_STORE_ARN)],
        errors: "AccessDenied CloudTrailAccessNotEnabled ConcurrentModification \
              EventDataStoreARNInvalid EventDataStoreNotFound InactiveEventDataStore \
              InsufficientDependencyServiceAccessPermission InvalidParameter \
              NoManagementAccountSLRExists NotOrganizationMasterAccount OperationNotPermitted \
              OrganizationNotInAllFeaturesMode OrganizationsNotInUse UnsupportedOperation",
    },
    Operation {
        name: "EnableFederation",
        input: &[
            required("EventDataStore", &EVENT_DATA_STORE_ARN),
            required("FederationRoleArn", &FEDERATION_ROLE_ARN),
        ],
        errors: "AccessDenied CloudTrailAccessNotEnabled ConcurrentModification \
              EventDataStoreARNInvalid EventDataStoreFederationEnabled EventDataStoreNotFound \
              InactiveEventDataStore InsufficientDependencyServiceAccessPermission \
              InvalidParameter NoManagementAccountSLRExists NotOrganizationMasterAccount \
              OperationNotPermitted OrganizationNotInAllFeaturesMode OrganizationsNotInUse \
              UnsupportedOperation",
    },
    Operation {
        name: "GenerateQuery",
        input: &[required("EventDataStores", &EVENT_DATA_STORE_LIST), required("Prompt", &PROMPT)],
        errors: "EventDataStoreARNInvalid EventDataStoreNotFound GenerateResponse \
              InactiveEventDataStore InvalidParameter NoManagementAccountSLRExists \
              OperationNotPermitted UnsupportedOperation",
    },
    Operation {
        name: "GetChannel",
        input: &[required("Channel", &CHANNEL_ARN)],
        errors: "ChannelARNInvalid ChannelNotFound OperationNotPermitted UnsupportedOperation",
    },
    Operation {
        name: "GetDashboard",
        input: &[required("DashboardId", &DASHBOARD_ARN)],
        errors: "ResourceNotFound UnsupportedOperation",
    },
    Operation {
        name: "GetEventConfiguration",
        input: &[optional("TrailName", &TEXT), optional("EventDataStore", &TEXT)],
        errors: "CloudTrailARNInvalid EventDataStoreARNInvalid EventDataStoreNotFound \
              InvalidEventDataStoreCategory InvalidEventDataStoreStatus \
              InvalidParameterCombination InvalidParameter InvalidTrailName \
              NoManagementAccountSLRExists OperationNotPermitted TrailNotFound \
              UnsupportedOperation",
    },
    Operation {
        name: "GetEventDataStore",
        input: &[required("EventDataStore", &EVENT_DATA_STORE_ARN)],
        errors: "EventDataStoreARNInvalid EventDataStoreNotFound InvalidParameter \
              NoManagementAccountSLRExists OperationNotPermitted UnsupportedOperation",
    },
    Operation {
        name: "GetEventSelectors",
        input: &[required("TrailName", &TEXT)],
        errors: "CloudTrailARNInvalid InvalidTrailName NoManagementAccountSLRExists \
              OperationNotPermitted TrailNotFound UnsupportedOperation",
    },
    Operation {
        name: "GetImport",
        input: &[required("ImportId", &UUID)],
        errors: "ImportNotFound InvalidParameter OperationNotPermitted UnsupportedOperation",
    },
    Operation {
        name: "GetInsightSelectors",
        input: &[optional("TrailName", &TEXT), optional("EventDataStore", &EVENT_DATA_STORE_ARN)],
        errors: "CloudTrailARNInvalid InsightNotEnabled InvalidParameterCombination InvalidParameter \
              InvalidTrailName NoManagementAccountSLRExists OperationNotPermitted Throttling \
              TrailNotFound UnsupportedOperation",
    },
    Operation {
        name: "GetQueryResults",
        input: &[
            optional("EventDataStore", &EVENT_DATA_STORE_ARN),
            required("QueryId", &UUID),
            optional("NextToken", &PAGINATION_TOKEN),
            optional("MaxQueryResults", &MAX_QUERY_RESULTS),
            optional("EventDataStoreOwnerAccountId", &ACCOUNT_ID),
        ],
        errors: "EventDataStoreARNInvalid EventDataStoreNotFound InactiveEventDataStore \
              InsufficientEncryptionPolicy InvalidMaxResults InvalidNextToken InvalidParameter \
              NoManagementAccountSLRExists OperationNotPermitted QueryIdNotFound \
              UnsupportedOperation",
    },
    Operation {
        name: "GetResourcePolicy",
        input: &[required("ResourceArn", &RESOURCE_ARN)],
        errors: "OperationNotPermitted ResourceARNNotValid ResourceNotFound ResourcePolicyNotFound \
              ResourceTypeNotSupported UnsupportedOperation",
    },
    Operation {
        name: "GetTrail",
        input: &[required("Name", &TEXT)],
        errors: "CloudTrailARNInvalid InvalidTrailName OperationNotPermitted TrailNotFound \
              UnsupportedOperation",
    },
    Operation {
        name: "GetTrailStatus",
        input: &[required("Name", &TEXT)],
        errors: "CloudTrailARNInvalid InvalidTrailName OperationNotPermitted TrailNotFound \
              UnsupportedOperation",
    },
    Operation {
        name: "ListChannels",
        input: &[
            optional("MaxResults", &LIST_CHANNELS_MAX_RESULTS_COUNT),
            optional("NextToken", &PAGINATION_TOKEN),
        ],
        errors: "InvalidNextToken OperationNotPermitted UnsupportedOperation",
    },
    Operation {
        name: "ListDashboards",
        input: &[
            optional("NamePrefix", &DASHBOARD_NAME),
            optional("Type", &DASHBOARD_TYPE),
            optional("NextToken", &PAGINATION_TOKEN),
            optional("MaxResults", &LIST_DASHBOARDS_MAX_RESULTS_COUNT),
        ],
        errors: "UnsupportedOperation",
    },
    Operation {
        name: "ListEventDataStores",
        input: &[
            optional("NextToken", &PAGINATION_TOKEN),
            optional("MaxResults", &LIST_EVENT_DATA_STORES_MAX_RESULTS_COUNT),
        ],
        errors: "InvalidMaxResults InvalidNextToken NoManagementAccountSLRExists \
              OperationNotPermitted UnsupportedOperation",
    },
    Operation {
        name: "ListImportFailures",
        input: &[
            required("ImportId", &UUID),
            optional("MaxResults", &LIST_IMPORT_FAILURES_MAX_RESULTS_COUNT),
            optional("NextToken", &PAGINATION_TOKEN),
        ],
        errors: "InvalidNextToken InvalidParameter OperationNotPermitted UnsupportedOperation",
    },
    Operation {
        name: "ListImports",
        input: &[
            optional("MaxResults", &LIST_IMPORTS_MAX_RESULTS_COUNT),
            optional("Destination", &EVENT_DATA_STORE_ARN),
            optional("ImportStatus", &IMPORT_STATUS),
            optional("NextToken", &PAGINATION_TOKEN),
        ],
        errors: "EventDataStoreARNInvalid InvalidNextToken InvalidParameter OperationNotPermitted \
              UnsupportedOperation",
    },
    Operation {
        name: "ListInsightsData",
        input: &[
            required("InsightSource", &RESOURCE_ARN),
            required("DataType", &LIST_INSIGHTS_DATA_TYPE),
            optional("Dimensions", &LIST_INSIGHTS_DATA_DIMENSIONS),
            optional("StartTime", &TIMESTAMP),
            optional("EndTime", &TIMESTAMP),
            optional("MaxResults", &LIST_INSIGHTS_DATA_MAX_RESULTS_COUNT),
            optional("NextToken", &PAGINATION_TOKEN),
        ],
        errors: "InvalidParameter OperationNotPermitted UnsupportedOperation",
    },
    Operation {
        name: "ListInsightsMetricData",
        input: &[
            optional("TrailName", &TEXT),
            required("EventSource", &EVENT_SOURCE),
            required("EventName", &EVENT_NAME),
            required("InsightType", &INSIGHT_TYPE),
            optional("ErrorCode", &ERROR_CODE),
            optional("StartTime", &TIMESTAMP),
            optional("EndTime", &TIMESTAMP),
            optional("Period", &INSIGHTS_METRIC_PERIOD),
            optional("DataType", &INSIGHTS_METRIC_DATA_TYPE),
            optional("MaxResults", &INSIGHTS_METRIC_MAX_RESULTS),
            optional("NextToken", &INSIGHTS_METRIC_NEXT_TOKEN),
        ],
        errors: "InvalidParameter InvalidTrailName OperationNotPermitted UnsupportedOperation",
    },
    Operation {
        name: "ListPublicKeys",
        input: &[
            optional("StartTime", &TIMESTAMP),
            optional("EndTime", &TIMESTAMP),
            optional("NextToken", &TEXT),
        ],
        errors: "InvalidTimeRange InvalidToken OperationNotPermitted UnsupportedOperation",
    },
    Operation {
        name: "ListQueries",
        input: &[
            required("EventDataStore", &EVENT_DATA_STORE_ARN),
            optional("NextToken", &PAGINATION_TOKEN),
            optional("MaxResults", &LIST_QUERIES_MAX_RESULTS_COUNT),
            optional("StartTime", &TIMESTAMP),
            optional("EndTime", &TIMESTAMP),
            optional("QueryStatus", &QUERY_STATUS),
        ],
        errors: "EventDataStoreARNInvalid EventDataStoreNotFound InactiveEventDataStore \
              InvalidDateRange InvalidMaxResults InvalidNextToken InvalidParameter \
              InvalidQueryStatus NoManagementAccountSLRExists OperationNotPermitted \
              UnsupportedOperation",
    },
    Operation {
        name: "ListTags",
        input: &[required("ResourceIdList", &RESOURCE_ID_LIST), optional("NextToken", &TEXT)],
        errors: "ChannelARNInvalid CloudTrailARNInvalid EventDataStoreARNInvalid \
              EventDataStoreNotFound InactiveEventDataStore InvalidToken InvalidTrailName \
              NoManagementAccountSLRExists OperationNotPermitted ResourceNotFound \
              ResourceTypeNotSupported UnsupportedOperation",
    },
    Operation {
        name: "ListTrails",
        input: &[optional("NextToken", &TEXT)],
        errors: "OperationNotPermitted UnsupportedOperation",
    },
    Operation {
        name: "LookupEvents",
        input: &[
            optional("LookupAttributes", &LOOKUP_ATTRIBUTES_LIST),
            optional("StartTime", &TIMESTAMP),
            optional("EndTime", &TIMESTAMP),
            optional("EventCategory", &EVENT_CATEGORY),
            optional("MaxResults", &MAX_RESULTS),
            optional("NextToken", &TEXT),
        ],
        errors: "InvalidEventCategory InvalidLookupAttributes InvalidMaxResults InvalidNextToken \
              InvalidTimeRange OperationNotPermitted UnsupportedOperation",
    },
    Operation {
        name: "PutEventConfiguration",
        input: &[
            optional("TrailName", &TEXT),
            optional("EventDataStore", &TEXT),
            optional("MaxEventSize", &MAX_EVENT_SIZE),
            optional("ContextKeySelectors", &CONTEXT_KEY_SELECTORS),
            optional("AggregationConfigurations", &AGGREGATION_CONFIGURATIONS),
        ],
        errors: "CloudTrailARNInvalid Conflict EventDataStoreARNInvalid EventDataStoreNotFound \
              InactiveEventDataStore InsufficientDependencyServiceAccessPermission \
              InsufficientIAMAccessPermission InvalidEventDataStoreCategory \
              InvalidEventDataStoreStatus InvalidHomeRegion InvalidParameterCombination \
              InvalidParameter InvalidTrailName NoManagementAccountSLRExists \
              NotOrganizationMasterAccount OperationNotPermitted Throttling TrailNotFound \
              UnsupportedOperation",
    },
    Operation {
        name: "PutEventSelectors",
        input: &[
            required("TrailName", &TEXT),
            optional("EventSelectors", &EVENT_SELECTORS),
            optional("AdvancedEventSelectors", &ADVANCED_EVENT_SELECTORS),
        ],
        errors: "CloudTrailARNInvalid Conflict InsufficientDependencyServiceAccessPermission \
              InvalidEventSelectors InvalidHomeRegion InvalidTrailName \
              NoManagementAccountSLRExists NotOrganizationMasterAccount OperationNotPermitted \
              Throttling TrailNotFound UnsupportedOperation",
    },
    Operation {
        name: "PutInsightSelectors",
        input: &[
            optional("TrailName", &TEXT),
            required("InsightSelectors", &INSIGHT_SELECTORS),
            optional("EventDataStore", &EVENT_DATA_STORE_ARN),
            optional("InsightsDestination", &EVENT_DATA_STORE_ARN),
        ],
        errors: "CloudTrailARNInvalid Conflict InsufficientEncryptionPolicy \
              InsufficientS3BucketPolicy InvalidHomeRegion InvalidInsightSelectors \
              InvalidParameterCombination InvalidParameter InvalidTrailName Kms \
              NoManagementAccountSLRExists NotOrganizationMasterAccount OperationNotPermitted \
              S3BucketDoesNotExist Throttling TrailNotFound UnsupportedOperation",
    },
    Operation {
        name: "PutResourcePolicy",
        input: &[
            required("ResourceArn", &RESOURCE_ARN),
            required("ResourcePolicy", &RESOURCE_POLICY),
        ],
        errors: "Conflict OperationNotPermitted ResourceARNNotValid ResourceNotFound \
              ResourcePolicyNotValid ResourceTypeNotSupported UnsupportedOperation",
    },
    Operation {
        name: "RegisterOrganizationDelegatedAdmin",
        input: &[required("MemberAccountId", &ACCOUNT_ID)],
        errors: "AccountNotFound AccountRegistered CannotDelegateManagementAccount \
              CloudTrailAccessNotEnabled Conflict DelegatedAdminAccountLimitExceeded \
              InsufficientDependencyServiceAccessPermission InsufficientIAMAccessPermission \
              InvalidParameter NotOrganizationManagementAccount OperationNotPermitted \
              OrganizationNotInAllFeaturesMode OrganizationsNotInUse UnsupportedOperation",
    },
    Operation {
        name: "RemoveTags",
        input: &[required("ResourceId", &TEXT), required("TagsList", &TAGS_LIST)],
        errors: "ChannelARNInvalid ChannelNotFound CloudTrailARNInvalid Conflict \
              EventDataStoreARNInvalid EventDataStoreNotFound InactiveEventDataStore \
              InvalidTagParameter InvalidTrailName NoManagementAccountSLRExists \
              NotOrganizationMasterAccount OperationNotPermitted ResourceNotFound \
              ResourceTypeNotSupported UnsupportedOperation",
    },
    Operation {
        name: "RestoreEventDataStore",
        input: &[required("EventDataStore", &EVENT_DATA_STORE_ARN)],
        errors: "CloudTrailAccessNotEnabled EventDataStoreARNInvalid EventDataStoreMaxLimitExceeded \
              EventDataStoreNotFound InsufficientDependencyServiceAccessPermission \
              InvalidEventDataStoreStatus InvalidParameter NoManagementAccountSLRExists \
              NotOrganizationMasterAccount OperationNotPermitted OrganizationNotInAllFeaturesMode \
              OrganizationsNotInUse UnsupportedOperation",
    },
    Operation {
        name: "SearchSampleQueries",
        input: &[
            required("SearchPhrase", &SEARCH_SAMPLE_QUERIES_SEARCH_PHRASE),
            optional("MaxResults", &SEARCH_SAMPLE_QUERIES_MAX_RESULTS),
            optional("NextToken", &PAGINATION_TOKEN),
        ],
        errors: "InvalidParameter OperationNotPermitted UnsupportedOperation",
    },
    Operation {
        name: "StartDashboardRefresh",
        input: &[
            required("DashboardId", &DASHBOARD_ARN),
            optional("QueryParameterValues", &QUERY_PARAMETER_VALUES),
        ],
        errors: "EventDataStoreNotFound InactiveEventDataStore ResourceNotFound ServiceQuotaExceeded \
              UnsupportedOperation",
    },
    Operation {
        name: "StartEventDataStoreIngestion",
        input: &[required("EventDataStore", &EVENT_DATA_STORE_ARN)],
        errors: "Conflict EventDataStoreARNInvalid EventDataStoreNotFound \
              InsufficientDependencyServiceAccessPermission InvalidEventDataStoreCategory \
              InvalidEventDataStoreStatus InvalidParameter NoManagementAccountSLRExists \
              NotOrganizationMasterAccount OperationNotPermitted UnsupportedOperation",
    },
    Operation {
        name: "StartImport",
        input: &[
            optional("Destinations", &IMPORT_DESTINATIONS),
            optional("ImportSource", &IMPORT_SOURCE),
            optional("StartEventTime", &TIMESTAMP),
            optional("EndEventTime", &TIMESTAMP),
            optional("ImportId", &UUID),
        ],
        errors: "AccountHasOngoingImport EventDataStoreARNInvalid EventDataStoreNotFound \
              ImportNotFound InactiveEventDataStore InsufficientEncryptionPolicy \
              InvalidEventDataStoreCategory InvalidEventDataStoreStatus InvalidImportSource \
              InvalidParameter OperationNotPermitted OperationNotPermitted UnsupportedOperation \
              UnsupportedOperation",
    },
    Operation {
        name: "StartLogging",
        input: &[required("Name", &TEXT)],
        errors: "CloudTrailARNInvalid Conflict InsufficientDependencyServiceAccessPermission \
              InvalidHomeRegion InvalidTrailName NoManagementAccountSLRExists \
              NotOrganizationMasterAccount OperationNotPermitted Throttling TrailNotFound \
              UnsupportedOperation",
    },
    Operation {
        name: "StartQuery",
        input: &[
            optional("QueryStatement", &QUERY_STATEMENT),
            optional("DeliveryS3Uri", &DELIVERY_S3_URI),
            optional("QueryAlias", &QUERY_ALIAS),
            optional("QueryParameters", &QUERY_PARAMETERS),
            optional("EventDataStoreOwnerAccountId", &ACCOUNT_ID),
        ],
        errors: "EventDataStoreARNInvalid EventDataStoreNotFound InactiveEventDataStore \
              InsufficientEncryptionPolicy InsufficientS3BucketPolicy InvalidParameter \
              InvalidQueryStatement InvalidS3BucketName InvalidS3Prefix MaxConcurrentQueries \
              NoManagementAccountSLRExists OperationNotPermitted S3BucketDoesNotExist \
              UnsupportedOperation",
    },
    Operation {
        name: "StopEventDataStoreIngestion",
        input: &[required("EventDataStore", &EVENT_DATA_STORE_ARN)],
        errors: "Conflict EventDataStoreARNInvalid EventDataStoreNotFound \
              InsufficientDependencyServiceAccessPermission InvalidEventDataStoreCategory \
              InvalidEventDataStoreStatus InvalidParameter NoManagementAccountSLRExists \
              NotOrganizationMasterAccount OperationNotPermitted UnsupportedOperation",
    },
    Operation {
        name: "StopImport",
        input: &[required("ImportId", &UUID)],
        errors: "ImportNotFound InvalidParameter OperationNotPermitted UnsupportedOperation",
    },
    Operation {
        name: "StopLogging",
        input: &[required("Name", &TEXT)],
        errors: "CloudTrailARNInvalid Conflict InsufficientDependencyServiceAccessPermission \
              InvalidHomeRegion InvalidTrailName NoManagementAccountSLRExists \
              NotOrganizationMasterAccount OperationNotPermitted Throttling TrailNotFound \
              UnsupportedOperation",
    },
    Operation {
        name: "UpdateChannel",
        input: &[
            required("Channel", &CHANNEL_ARN),
            optional("Destinations", &DESTINATIONS),
            optional("Name", &CHANNEL_NAME),
        ],
        errors: "ChannelARNInvalid ChannelAlreadyExists ChannelNotFound EventDataStoreARNInvalid \
              EventDataStoreNotFound InactiveEventDataStore InvalidEventDataStoreCategory \
              InvalidParameter OperationNotPermitted UnsupportedOperation",
    },
    Operation {
        name: "UpdateDashboard",
        input: &[
            required("DashboardId", &DASHBOARD_ARN),
            optional("Widgets", &REQUEST_WIDGET_LIST),
            optional("RefreshSchedule", &REFRESH_SCHEDULE),
            optional("TerminationProtectionEnabled", &BOOLEAN),
        ],
        errors: "Conflict EventDataStoreNotFound InactiveEventDataStore InsufficientEncryptionPolicy \
              InvalidQueryStatement ResourceNotFound ServiceQuotaExceeded UnsupportedOperation",
    },
    Operation {
        name: "UpdateEventDataStore",
        input: &[
            required("EventDataStore", &EVENT_DATA_STORE_ARN),
            optional("Name", &EVENT_DATA_STORE_NAME),
            optional("AdvancedEventSelectors", &ADVANCED_EVENT_SELECTORS),
            optional("MultiRegionEnabled", &BOOLEAN),
            optional("OrganizationEnabled", &BOOLEAN),
            optional("RetentionPeriod", &RETENTION_PERIOD),
            optional("TerminationProtectionEnabled", &BOOLEAN),
            optional("KmsKeyId", &EVENT_DATA_STORE_KMS_KEY_ID),
            optional("BillingMode", &BILLING_MODE),
        ],
        errors: "CloudTrailAccessNotEnabled Conflict EventDataStoreARNInvalid \
              EventDataStoreAlreadyExists EventDataStoreHasOngoingImport EventDataStoreNotFound \
              InactiveEventDataStore InsufficientDependencyServiceAccessPermission \
              InsufficientEncryptionPolicy InvalidEventSelectors InvalidInsightSelectors \
              InvalidKmsKeyId InvalidParameter Kms KmsKeyNotFound NoManagementAccountSLRExists \
              NotOrganizationMasterAccount OperationNotPermitted OrganizationNotInAllFeaturesMode \
              OrganizationsNotInUse Throttling UnsupportedOperation",
    },
    Operation {
        name: "UpdateTrail",
        input: &[
            required("Name", &TEXT),
            optional("S3BucketName", &TEXT),
            optional("S3KeyPrefix", &TEXT),
            optional("SnsTopicName", &TEXT),
            optional("IncludeGlobalServiceEvents", &BOOLEAN),
            optional("IsMultiRegionTrail", &BOOLEAN),
            optional("EnableLogFileValidation", &BOOLEAN),
            optional("CloudWatchLogsLogGroupArn", &TEXT),
            optional("CloudWatchLogsRoleArn", &TEXT),
            optional("KmsKeyId", &TEXT),
            optional("IsOrganizationTrail", &BOOLEAN),
            optional("RecursiveLogging", &BOOLEAN),
        ],
        errors: "CloudTrailARNInvalid CloudTrailAccessNotEnabled CloudTrailInvalidClientTokenId \
              CloudWatchLogsDeliveryUnavailable Conflict \
              InsufficientDependencyServiceAccessPermission InsufficientEncryptionPolicy \
              InsufficientS3BucketPolicy InsufficientSnsTopicPolicy \
              InvalidCloudWatchLogsLogGroupArn InvalidCloudWatchLogsRoleArn InvalidEventSelectors \
              InvalidHomeRegion InvalidKmsKeyId InvalidParameterCombination InvalidParameter \
              InvalidS3BucketName InvalidS3Prefix InvalidSnsTopicName InvalidTrailName Kms \
              KmsKeyDisabled KmsKeyNotFound NoManagementAccountSLRExists \
              NotOrganizationMasterAccount OperationNotPermitted OrganizationNotInAllFeaturesMode \
              OrganizationsNotInUse S3BucketDoesNotExist Throttling TrailNotFound TrailNotProvided \
              UnsupportedOperation",
    },
];

/// What `PutAuditEvents` of `cloudtrail-data` takes; its first two members stand in the query.
pub(crate) static PUT_AUDIT_EVENTS: &[Member] = &[
    required("auditEvents", &AUDIT_EVENTS),
    required("channelArn", &CHANNEL_ARN),
    optional("externalId", &EXTERNAL_ID),
];

static BOOLEAN: Shape = Shape::Boolean;
static INTEGER: Shape = Shape::Integer { min: i64::MIN, max: i64::MAX };
static TEXT: Shape = text(0, usize::MAX);
static TIMESTAMP: Shape = Shape::Timestamp;
static TAG_KEY: Shape = text(1, 128);
static TAG_VALUE: Shape = text(1, 256);
static TAG: Shape = Shape::Structure(&[required("Key", &TAG_KEY), optional("Value", &TAG_VALUE)]);
static TAGS_LIST: Shape = Shape::List { member: &TAG, min: 0, max: 200 };
static EVENT_DATA_STORE_ARN: Shape = matching(3, 256, r"^[a-zA-Z0-9._/\-:]+$");
static UUID: Shape = matching(36, 36, r"^[a-f0-9\-]+$");
static ACCOUNT_ID: Shape = matching(12, 16, r"[0-9]+");
static CHANNEL_NAME: Shape = matching(3, 128, r"^[a-zA-Z0-9._\-]+$");
static SOURCE: Shape = matching(1, 256, r".*");
static DESTINATION_TYPE: Shape = Shape::OneOf(&["EVENT_DATA_STORE", "AWS_SERVICE"]);
static LOCATION: Shape = matching(3, 1024, r"^[a-zA-Z0-9._/\-:*]+$");
static DESTINATION: Shape =
    Shape::Structure(&[required("Type", &DESTINATION_TYPE), required("Location", &LOCATION)]);
static DESTINATIONS: Shape = Shape::List { member: &DESTINATION, min: 1, max: 200 };
static DASHBOARD_NAME: Shape = matching(3, 128, r"^[a-zA-Z0-9_\-]+$");
static REFRESH_SCHEDULE_FREQUENCY_UNIT: Shape = Shape::OneOf(&["HOURS", "DAYS"]);
static REFRESH_SCHEDULE_FREQUENCY: Shape = Shape::Structure(&[
    optional("Unit", &REFRESH_SCHEDULE_FREQUENCY_UNIT),
    optional("Value", &INTEGER),
]);
static REFRESH_SCHEDULE_STATUS: Shape = Shape::OneOf(&["ENABLED", "DISABLED"]);
static TIME_OF_DAY: Shape = matching(0, usize::MAX, r"^[0-9]{2}:[0-9]{2}");
static REFRESH_SCHEDULE: Shape = Shape::Structure(&[
    optional("Frequency", &REFRESH_SCHEDULE_FREQUENCY),
    optional("Status", &REFRESH_SCHEDULE_STATUS),
    optional("TimeOfDay", &TIME_OF_DAY),
]);
static QUERY_STATEMENT: Shape = text(1, 10_000);
static QUERY_PARAMETER: Shape = matching(1, 1024, r".*");
static QUERY_PARAMETERS: Shape = Shape::List { member: &QUERY_PARAMETER, min: 1, max: 10 };
static VIEW_PROPERTIES_KEY: Shape = matching(3, 128, r"^[a-zA-Z0-9._\-]+$");
static VIEW_PROPERTIES_VALUE: Shape = matching(1, 128, r"^[a-zA-Z0-9._\- ]+$");
static VIEW_PROPERTIES_MAP: Shape = Shape::Map {
    key: &VIEW_PROPERTIES_KEY,
    value: &VIEW_PROPERTIES_VALUE,
    min: 0,
    max: usize::MAX,
};
static REQUEST_WIDGET: Shape = Shape::Structure(&[
    required("QueryStatement", &QUERY_STATEMENT),
    optional("QueryParameters", &QUERY_PARAMETERS),
    required("ViewProperties", &VIEW_PROPERTIES_MAP),
]);
static REQUEST_WIDGET_LIST: Shape =
    Shape::List { member: &REQUEST_WIDGET, min: 0, max: usize::MAX };
static EVENT_DATA_STORE_NAME: Shape = matching(3, 128, r"^[a-zA-Z0-9._\-]+$");
static SELECTOR_NAME: Shape = matching(0, 1000, r".*");
static SELECTOR_FIELD: Shape = matching(1, 1000, r"[0-9A-Za-z_|0-9|\.|_]+");
static OPERATOR_VALUE: Shape = matching(1, 2048, r".+");
static OPERATOR: Shape = Shape::List { member: &OPERATOR_VALUE, min: 1, max: usize::MAX };
static ADVANCED_FIELD_SELECTOR: Shape = Shape::Structure(&[
    required("Field", &SELECTOR_FIELD),
    optional("Equals", &OPERATOR),
    optional("StartsWith", &OPERATOR),
    optional("EndsWith", &OPERATOR),
    optional("NotEquals", &OPERATOR),
    optional("NotStartsWith", &OPERATOR),
    optional("NotEndsWith", &OPERATOR),
]);
static ADVANCED_FIELD_SELECTORS: Shape =
    Shape::List { member: &ADVANCED_FIELD_SELECTOR, min: 1, max: usize::MAX };
static ADVANCED_EVENT_SELECTOR: Shape = Shape::Structure(&[
    optional("Name", &SELECTOR_NAME),
    required("FieldSelectors", &ADVANCED_FIELD_SELECTORS),
]);
static ADVANCED_EVENT_SELECTORS: Shape =
    Shape::List { member: &ADVANCED_EVENT_SELECTOR, min: 0, max: usize::MAX };
static RETENTION_PERIOD: Shape = Shape::Integer { min: 7, max: 3653 };
static EVENT_DATA_STORE_KMS_KEY_ID: Shape = matching(1, 350, r"^[a-zA-Z0-9._/\-:]+$");
static BILLING_MODE: Shape =
    Shape::OneOf(&["EXTENDABLE_RETENTION_PRICING", "FIXED_RETENTION_PRICING"]);
static CHANNEL_ARN: Shape = matching(3, 256, r"^[a-zA-Z0-9._/\-:]+$");
static DASHBOARD_ARN: Shape = matching(0, usize::MAX, r"^[a-zA-Z0-9._/\-:]+$");
static RESOURCE_ARN: Shape = matching(3, 256, r"^[a-zA-Z0-9._/\-:]+$");
static QUERY_ALIAS: Shape = matching(1, 256, r"^[a-zA-Z][a-zA-Z0-9._\-]*$");
static REFRESH_ID: Shape = matching(10, 20, r"[0-9]+");
static TRAIL_NAME_LIST: Shape = Shape::List { member: &TEXT, min: 0, max: usize::MAX };
static FEDERATION_ROLE_ARN: Shape = matching(3, 125, r"^[a-zA-Z0-9._/\-:@=\+,\.]+$");
static EVENT_DATA_STORE_LIST: Shape = Shape::List { member: &EVENT_DATA_STORE_ARN, min: 1, max: 1 };
static PROMPT: Shape = matching(3, 500, r"^[ -~\n]*$");
static PAGINATION_TOKEN: Shape = matching(4, 1000, r".*");
static MAX_QUERY_RESULTS: Shape = Shape::Integer { min: 1, max: 1000 };
static LIST_CHANNELS_MAX_RESULTS_COUNT: Shape = Shape::Integer { min: 1, max: 1000 };
static DASHBOARD_TYPE: Shape = Shape::OneOf(&["MANAGED", "CUSTOM"]);
static LIST_DASHBOARDS_MAX_RESULTS_COUNT: Shape = Shape::Integer { min: 1, max: 1000 };
static LIST_EVENT_DATA_STORES_MAX_RESULTS_COUNT: Shape = Shape::Integer { min: 1, max: 1000 };
static LIST_IMPORT_FAILURES_MAX_RESULTS_COUNT: Shape = Shape::Integer { min: 1, max: 1000 };
static LIST_IMPORTS_MAX_RESULTS_COUNT: Shape = Shape::Integer { min: 1, max: 1000 };
static IMPORT_STATUS: Shape =
    Shape::OneOf(&["INITIALIZING", "IN_PROGRESS", "FAILED", "STOPPED", "COMPLETED"]);
static LIST_INSIGHTS_DATA_TYPE: Shape = Shape::OneOf(&["InsightsEvents"]);
static LIST_INSIGHTS_DATA_DIMENSION_KEY: Shape =
    Shape::OneOf(&["EventId", "EventName", "EventSource"]);
static LIST_INSIGHTS_DATA_DIMENSION_VALUE: Shape = text(1, 2000);
static LIST_INSIGHTS_DATA_DIMENSIONS: Shape = Shape::Map {
    key: &LIST_INSIGHTS_DATA_DIMENSION_KEY,
    value: &LIST_INSIGHTS_DATA_DIMENSION_VALUE,
    min: 1,
    max: 1,
};
static LIST_INSIGHTS_DATA_MAX_RESULTS_COUNT: Shape = Shape::Integer { min: 1, max: 50 };
static EVENT_SOURCE: Shape = matching(0, 256, r"^[a-z0-9_-]+\.amazonaws\.com$");
static EVENT_NAME: Shape = matching(0, 128, r"^[A-Za-z0-9_]+$");
static INSIGHT_TYPE: Shape = Shape::OneOf(&["ApiCallRateInsight", "ApiErrorRateInsight"]);
static ERROR_CODE: Shape = matching(0, 128, r"^[0-9A-Za-z_0-9 \t\n\r_.,\-:\[\]]+$");
static INSIGHTS_METRIC_PERIOD: Shape = Shape::Integer { min: 60, max: 3600 };
static INSIGHTS_METRIC_DATA_TYPE: Shape = Shape::OneOf(&["FillWithZeros", "NonZeroData"]);
static INSIGHTS_METRIC_MAX_RESULTS: Shape = Shape::Integer { min: 1, max: 21_600 };
static INSIGHTS_METRIC_NEXT_TOKEN: Shape = text(1, 5000);
static LIST_QUERIES_MAX_RESULTS_COUNT: Shape = Shape::Integer { min: 1, max: 1000 };
static QUERY_STATUS: Shape =
    Shape::OneOf(&["QUEUED", "RUNNING", "FINISHED", "FAILED", "CANCELLED", "TIMED_OUT"]);
static RESOURCE_ID_LIST: Shape = Shape::List { member: &TEXT, min: 0, max: usize::MAX };
static LOOKUP_ATTRIBUTE_KEY: Shape = Shape::OneOf(&[
    "EventId",
    "EventName",
    "ReadOnly",
    "Username",
    "ResourceType",
    "ResourceName",
    "EventSource",
    "AccessKeyId",
]);
static LOOKUP_ATTRIBUTE_VALUE: Shape = text(1, 2000);
static LOOKUP_ATTRIBUTE: Shape = Shape::Structure(&[
    required("AttributeKey", &LOOKUP_ATTRIBUTE_KEY),
    required("AttributeValue", &LOOKUP_ATTRIBUTE_VALUE),
]);
static LOOKUP_ATTRIBUTES_LIST: Shape =
    Shape::List { member: &LOOKUP_ATTRIBUTE, min: 0, max: usize::MAX };
static EVENT_CATEGORY: Shape = Shape::OneOf(&["insight"]);
static MAX_RESULTS: Shape = Shape::Integer { min: 1, max: 50 };
static MAX_EVENT_SIZE: Shape = Shape::OneOf(&["Standard", "Large"]);
static TYPE: Shape = Shape::OneOf(&["TagContext", "RequestContext"]);
static OPERATOR_TARGET_LIST_MEMBER: Shape = text(1, 128);
static OPERATOR_TARGET_LIST: Shape =
    Shape::List { member: &OPERATOR_TARGET_LIST_MEMBER, min: 1, max: 50 };
static CONTEXT_KEY_SELECTOR: Shape =
    Shape::Structure(&[required("Type", &TYPE), required("Equals", &OPERATOR_TARGET_LIST)]);
static CONTEXT_KEY_SELECTORS: Shape = Shape::List { member: &CONTEXT_KEY_SELECTOR, min: 0, max: 2 };
static TEMPLATE: Shape = Shape::OneOf(&["API_ACTIVITY", "RESOURCE_ACCESS", "USER_ACTIONS"]);
static TEMPLATES: Shape = Shape::List { member: &TEMPLATE, min: 1, max: 50 };
static EVENT_CATEGORY_AGGREGATION: Shape = Shape::OneOf(&["Data"]);
static AGGREGATION_CONFIGURATION: Shape = Shape::Structure(&[
    required("Templates", &TEMPLATES),
    required("EventCategory", &EVENT_CATEGORY_AGGREGATION),
]);
static AGGREGATION_CONFIGURATIONS: Shape =
    Shape::List { member: &AGGREGATION_CONFIGURATION, min: 0, max: 1 };
static READ_WRITE_TYPE: Shape = Shape::OneOf(&["ReadOnly", "WriteOnly", "All"]);
static DATA_RESOURCE_VALUES: Shape = Shape::List { member: &TEXT, min: 0, max: usize::MAX };
static DATA_RESOURCE: Shape =
    Shape::Structure(&[optional("Type", &TEXT), optional("Values", &DATA_RESOURCE_VALUES)]);
static DATA_RESOURCES: Shape = Shape::List { member: &DATA_RESOURCE, min: 0, max: usize::MAX };
static EXCLUDE_MANAGEMENT_EVENT_SOURCES: Shape =
    Shape::List { member: &TEXT, min: 0, max: usize::MAX };
static EVENT_SELECTOR: Shape = Shape::Structure(&[
    optional("ReadWriteType", &READ_WRITE_TYPE),
    optional("IncludeManagementEvents", &BOOLEAN),
    optional("DataResources", &DATA_RESOURCES),
    optional("ExcludeManagementEventSources", &EXCLUDE_MANAGEMENT_EVENT_SOURCES),
]);
static EVENT_SELECTORS: Shape = Shape::List { member: &EVENT_SELECTOR, min: 0, max: usize::MAX };
static SOURCE_EVENT_CATEGORY: Shape = Shape::OneOf(&["Management", "Data"]);
static SOURCE_EVENT_CATEGORIES: Shape =
    Shape::List { member: &SOURCE_EVENT_CATEGORY, min: 0, max: usize::MAX };
static INSIGHT_SELECTOR: Shape = Shape::Structure(&[
    optional("InsightType", &INSIGHT_TYPE),
    optional("EventCategories", &SOURCE_EVENT_CATEGORIES),
]);
static INSIGHT_SELECTORS: Shape =
    Shape::List { member: &INSIGHT_SELECTOR, min: 0, max: usize::MAX };
static RESOURCE_POLICY: Shape = text(1, 8192);
static SEARCH_SAMPLE_QUERIES_SEARCH_PHRASE: Shape = matching(2, 1000, r"^[ -~\n]*$");
static SEARCH_SAMPLE_QUERIES_MAX_RESULTS: Shape = Shape::Integer { min: 1, max: 50 };
static QUERY_PARAMETER_KEY: Shape = matching(3, 128, r"^[a-zA-Z0-9._/\-:$]+$");
static QUERY_PARAMETER_VALUE: Shape = matching(1, 128, r"^[a-zA-Z0-9._/\-:]+$");
static QUERY_PARAMETER_VALUES: Shape = Shape::Map {
    key: &QUERY_PARAMETER_KEY,
    value: &QUERY_PARAMETER_VALUE,
    min: 0,
    max: usize::MAX,
};
static IMPORT_DESTINATIONS: Shape = Shape::List { member: &EVENT_DATA_STORE_ARN, min: 1, max: 1 };
static S3_IMPORT_SOURCE: Shape = Shape::Structure(&[
    required("S3LocationUri", &TEXT),
    required("S3BucketRegion", &TEXT),
    required("S3BucketAccessRoleArn", &TEXT),
]);
static IMPORT_SOURCE: Shape = Shape::Structure(&[required("S3", &S3_IMPORT_SOURCE)]);
static DELIVERY_S3_URI: Shape = matching(0, 1024, r"s3://[a-z0-9][\.\-a-z0-9]{1,61}[a-z0-9](/.*)?");
static AUDIT_EVENT_ID: Shape = matching(1, 128, r"^[-_A-Za-z0-9]+$");
static AUDIT_EVENT: Shape = Shape::Structure(&[
    required("eventData", &TEXT),
    optional("eventDataChecksum", &TEXT),
    required("id", &AUDIT_EVENT_ID),
]);
static AUDIT_EVENTS: Shape = Shape::List { member: &AUDIT_EVENT, min: 1, max: 100 };
static EXTERNAL_ID: Shape = matching(2, 1224, r"^[0-9A-Za-z_+=,.@:\/-]*$");
