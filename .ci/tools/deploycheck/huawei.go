package main

// huaweiResources are those of Huawei Cloud's provider that are used here. Read in November 2026 in
// https://github.com/huaweicloud/terraform-provider-huaweicloud/tree/master/docs.
func huaweiResources() map[string]documented {
	return map[string]documented{
		"huaweicloud_fgs_function": {"resources/fgs_function", []string{"name", "memory_size", "runtime", "timeout"}, []string{
			"agency", "app", "app_agency", "code_filename", "code_type", "code_url", "concurrency_num", "depend_list", "description",
			"encrypted_user_data", "func_code", "functiongraph_version", "handler", "log_group_id", "log_group_name", "log_stream_id",
			"log_stream_name", "max_instance_num", "network_id", "region", "tags", "user_data", "vpc_id",
		}},
		"huaweicloud_fgs_async_invoke_configuration": {"resources/fgs_async_invoke_configuration", []string{
			"function_urn", "max_async_event_age_in_seconds", "max_async_retry_attempts",
		}, []string{"enable_async_status_log", "on_failure", "on_success", "region"}},
		"huaweicloud_fgs_function_trigger": {"resources/fgs_function_trigger", []string{"function_urn", "type", "event_data"}, []string{"region", "status"}},
		"huaweicloud_csms_secret": {"resources/csms_secret", []string{"name"}, []string{
			"description", "enterprise_project_id", "event_subscriptions", "expire_time", "kms_key_id", "region", "secret_binary", "secret_text",
			"secret_type", "tags",
		}},
		"huaweicloud_identity_role": {"resources/identity_role", []string{"name", "description", "type", "policy"}, nil},
		"huaweicloud_identity_agency": {"resources/identity_agency", []string{"name", "project_role.project", "project_role.roles"}, []string{
			"delegated_domain_name", "delegated_service_name", "description", "domain_roles", "duration", "project_role",
		}},
		"huaweicloud_lts_group":        {"resources/lts_group", []string{"group_name", "ttl_in_days"}, []string{"region"}},
		"huaweicloud_lts_stream":       {"resources/lts_stream", []string{"group_id", "stream_name"}, []string{"region"}},
		"huaweicloud_smn_topic":        {"resources/smn_topic", []string{"name"}, []string{"display_name", "introduction", "region", "services_publish_allowed", "tags"}},
		"huaweicloud_smn_subscription": {"resources/smn_subscription", []string{"topic_urn", "protocol", "endpoint"}, []string{"region", "remark"}},
		"huaweicloud_lts_keywords_alarm_rule": {"resources/lts_keywords_alarm_rule", []string{
			"name", "alarm_level", "keywords_requests", "keywords_requests.keywords", "keywords_requests.condition", "keywords_requests.number",
			"keywords_requests.log_group_id", "keywords_requests.log_stream_id", "keywords_requests.search_time_range_unit",
			"keywords_requests.search_time_range", "frequency", "frequency.type", "notification_save_rule.template_name",
			"notification_save_rule.user_name", "notification_save_rule.topics", "notification_save_rule.topics.name",
			"notification_save_rule.topics.topic_urn",
		}, []string{
			"alarm_action_rule_name", "alarm_rule_alias", "description", "frequency.cron_expression", "frequency.day_of_week", "frequency.fixed_rate",
			"frequency.fixed_rate_unit", "frequency.hour_of_day", "keywords_requests.log_group_name", "keywords_requests.log_stream_name",
			"notification_frequency", "notification_save_rule", "notification_save_rule.language", "notification_save_rule.timezone",
			"notification_save_rule.topics.display_name", "notification_save_rule.topics.push_policy", "recovery_frequency", "region",
			"send_notifications", "send_recovery_notifications", "status", "trigger_condition_count", "trigger_condition_frequency",
		}},
		"huaweicloud_ces_alarmrule": {"resources/ces_alarmrule", []string{
			"alarm_name", "metric", "metric.namespace", "condition", "condition.metric_name", "condition.period", "condition.filter",
			"condition.comparison_operator", "condition.value", "condition.count", "resources.dimensions.name", "alarm_actions.type",
			"alarm_actions.notification_list",
		}, []string{
			"alarm_action_enabled", "alarm_actions", "alarm_description", "alarm_enabled", "alarm_type", "condition.alarm_level",
			"condition.suppress_duration", "condition.unit", "region", "resources", "resources.dimensions", "resources.dimensions.value",
		}},
	}
}
