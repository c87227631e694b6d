package main

import (
	"maps"
	"slices"
	"strings"
)

// A documented resource is what its page in the provider's documentation lists.
type documented struct {
	page     string   // below https://registry.terraform.io/providers/PROVIDER/latest/docs/
	required []string // arguments
	optional []string // those of a block are written BLOCK.ARGUMENT
}

// names returns the arguments and blocks that are documented within a block; an empty block is the resource itself.
func (d documented) names(block string) (required, all map[string]bool) {
	required, all = map[string]bool{}, map[string]bool{}
	for _, path := range slices.Concat(d.required, d.optional) {
		if parent, name := split(path); parent == block {
			all[name] = true
		}
	}
	for _, path := range d.required {
		if parent, name := split(path); parent == block {
			required[name] = true
		}
	}
	return required, all
}

func split(path string) (parent, name string) {
	if i := strings.LastIndexByte(path, '.'); i >= 0 {
		return path[:i], path[i+1:]
	}
	return "", path
}

// resources are those of all providers.
func resources() map[string]documented {
	all := tencentResources()
	maps.Copy(all, huaweiResources())
	return all
}

// tencentResources are those of Tencent Cloud's provider that are used here. Read in November 2026 in
// https://github.com/tencentcloudstack/terraform-provider-tencentcloud/tree/master/website/docs; scf_trigger and the alarm's
// syntax_rule also at https://www.pulumi.com/registry/packages/tencentcloud/.
func tencentResources() map[string]documented {
	return map[string]documented{
		"tencentcloud_scf_function": {"resources/scf_function", []string{"name"}, []string{
			"async_run_enable", "cls_logset_id", "cls_topic_id", "description", "enable_public_net", "environment", "func_type", "handler",
			"layers", "mem_size", "namespace", "role", "runtime", "subnet_id", "tags", "timeout", "vpc_id", "zip_file",
		}},
		"tencentcloud_scf_trigger": {"resources/scf_trigger", []string{"function_name", "trigger_name", "type", "namespace"}, []string{
			"custom_argument", "description", "enable", "qualifier", "trigger_desc",
		}},
		"tencentcloud_scf_reserved_concurrency_config": {"resources/scf_reserved_concurrency_config",
			[]string{"function_name", "reserved_concurrency_mem"}, []string{"namespace"}},
		"tencentcloud_scf_function_event_invoke_config": {"resources/scf_function_event_invoke_config", []string{
			"function_name", "async_trigger_config", "async_trigger_config.msg_ttl", "async_trigger_config.retry_config",
			"async_trigger_config.retry_config.retry_num",
		}, []string{"namespace"}},
		"tencentcloud_ssm_secret": {"resources/ssm_secret", []string{"secret_name"}, []string{
			"additional_config", "description", "is_enabled", "kms_key_id", "recovery_window_in_days", "secret_type", "tags",
		}},
		"tencentcloud_cam_role":                   {"resources/cam_role", []string{"name", "document"}, []string{"console_login", "description", "tags"}},
		"tencentcloud_cam_policy":                 {"resources/cam_policy", []string{"name", "document"}, []string{"description"}},
		"tencentcloud_cam_role_policy_attachment": {"resources/cam_role_policy_attachment", []string{"role_id", "policy_id"}, nil},
		"tencentcloud_cls_logset":                 {"resources/cls_logset", []string{"logset_name"}, []string{"tags"}},
		"tencentcloud_cls_topic": {"resources/cls_topic", []string{"topic_name", "logset_id"}, []string{
			"auto_split", "describes", "hot_period", "max_split_partitions", "partition_count", "period", "storage_type", "tags",
		}},
		"tencentcloud_cls_index": {"resources/cls_index", []string{
			"topic_id", "rule.full_text.case_sensitive", "rule.full_text.contain_z_h", "rule.full_text.tokenizer",
			"rule.key_value.case_sensitive", "rule.key_value.key_values.key", "rule.key_value.key_values.value.type",
		}, []string{
			"include_internal_fields", "metadata_flag", "rule", "status", "rule.full_text", "rule.key_value", "rule.key_value.key_values",
			"rule.key_value.key_values.value", "rule.key_value.key_values.value.contain_z_h", "rule.key_value.key_values.value.sql_flag",
			"rule.key_value.key_values.value.tokenizer",
		}},
		"tencentcloud_cls_alarm_notice": {"resources/cls_alarm_notice", []string{
			"name", "notice_receivers.receiver_channels", "notice_receivers.receiver_ids", "notice_receivers.receiver_type",
		}, []string{"tags", "type", "notice_receivers", "notice_receivers.start_time", "notice_receivers.end_time", "web_callbacks"}},
		"tencentcloud_cls_alarm": {"resources/cls_alarm", []string{
			"alarm_notice_ids", "alarm_period", "alarm_targets", "condition", "monitor_time", "name", "trigger_count",
			"alarm_targets.end_time_offset", "alarm_targets.logset_id", "alarm_targets.number", "alarm_targets.query",
			"alarm_targets.start_time_offset", "alarm_targets.topic_id", "monitor_time.time", "monitor_time.type",
		}, []string{"alarm_level", "message_template", "status", "tags", "alarm_targets.syntax_rule"}},
	}
}

// providerArguments: https://registry.terraform.io/providers/tencentcloudstack/tencentcloud/latest/docs#argument-reference.
func providerArguments() documented {
	return documented{"", []string{"region"}, []string{"domain", "protocol", "secret_id", "secret_key", "security_token"}}
}
