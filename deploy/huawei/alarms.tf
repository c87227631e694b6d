# Written from the documents alone, like the rest of this folder: nothing here was tried on a real account. Least sure is that
# FunctionGraph counts an error which a custom runtime reports, that LTS gets its lines as relock writes them, and that the
# topic takes messages of LTS without a policy of its own: make each alarm once and see that it arrives.

resource "huaweicloud_lts_group" "relock" {
  group_name  = local.function
  ttl_in_days = 30 # the longest
}

resource "huaweicloud_lts_stream" "relock" {
  group_id    = huaweicloud_lts_group.relock.id
  stream_name = local.function
}

resource "huaweicloud_smn_topic" "relock" {
  name         = local.function
  display_name = local.function
}

resource "huaweicloud_smn_subscription" "relock" {
  for_each = toset(var.alarm_emails)

  topic_urn = huaweicloud_smn_topic.relock.topic_urn
  protocol  = "email"
  endpoint  = each.value
}

locals {
  # A line is looked for by its words. LTS splits at , '";=()[]{}@&<>/:\? and spaces, not at dots:
  # https://support.huaweicloud.com/intl/en-us/usermanual-lts/lts_05_0111.html. It compares no numbers within a text, so
  # pendingSeconds cannot be asked for: what is pending for a day has left something to do in each of eight times three hours.
  alarms = {
    overdue = { keywords = "relock.report and incomplete", condition = ">=", hours = 3, times = 8 }
    drift   = { keywords = "relock.drift", condition = ">=", hours = 1, times = 1 }
    silent  = { keywords = "relock.report", condition = "<", hours = 1, times = 1 }
  }
}

resource "huaweicloud_lts_keywords_alarm_rule" "relock" {
  for_each = local.alarms

  name                        = "${local.function}-${each.key}"
  alarm_level                 = "MAJOR"
  status                      = var.timers || each.key != "silent" ? "RUNNING" : "STOPPING"
  trigger_condition_count     = each.value.times
  trigger_condition_frequency = each.value.times
  send_notifications          = true
  notification_frequency      = 360 # minutes, the longest

  keywords_requests {
    keywords               = each.value.keywords
    condition              = each.value.condition
    number                 = 1
    log_group_id           = huaweicloud_lts_group.relock.id
    log_stream_id          = huaweicloud_lts_stream.relock.id
    search_time_range_unit = "hour"
    search_time_range      = each.value.hours
  }

  frequency {
    type            = "FIXED_RATE"
    fixed_rate_unit = "hour"
    fixed_rate      = each.value.hours
  }

  notification_save_rule {
    template_name = "keywords_template" # LTS has it from the start
    user_name     = var.alarm_user
    language      = "en-us"

    topics {
      name      = huaweicloud_smn_topic.relock.name
      topic_urn = huaweicloud_smn_topic.relock.topic_urn
    }
  }
}

# A run that failed or stayed partial answers with an error, and so does the platform for one that ran out of time or memory:
# https://support.huaweicloud.com/intl/en-us/api-functiongraph/functiongraph_06_1340.html.
resource "huaweicloud_ces_alarmrule" "failed" {
  alarm_name           = "${local.function}-failed"
  alarm_action_enabled = true

  metric {
    namespace = "SYS.FunctionGraph"
  }

  resources {
    dimensions {
      name  = "package-functionname"
      value = "${huaweicloud_fgs_function.relock.app}-${huaweicloud_fgs_function.relock.name}"
    }
  }

  condition {
    metric_name         = "failcount"
    period              = 300
    filter              = "sum"
    comparison_operator = ">"
    value               = 0
    count               = 1
    suppress_duration   = 3600
    alarm_level         = 2
  }

  alarm_actions {
    type              = "notification"
    notification_list = [huaweicloud_smn_topic.relock.topic_urn]
  }
}
