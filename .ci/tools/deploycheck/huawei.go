package main

// huaweiResources are those of Huawei Cloud's provider that are used here. Read in November 2026 in
// https://github.com/huaweicloud/terraform-provider-huaweicloud/tree/master/docs.
func huaweiResources() map[string]documented {
	return map[string]documented{
		"huaweicloud_fgs_function": {"resources/fgs_function", []string{"name", "memory_size", "runtime", "timeout"}, []string{
			"agency", "app", "app_agency", "code_filename", "code_type", "code_url", "concurrency_num", "depend_list", "description",
			"encrypted_user_data", "func_code", "functiongraph_version", "handler", "log_group_id", "log_stream_id", "max_instance_num",
			"network_id", "region", "tags", "user_data", "vpc_id",
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
	}
}
