resource "tencentcloud_cls_logset" "relock" {
  logset_name = local.function
}

resource "tencentcloud_cls_topic" "relock" {
  topic_name = local.function
  logset_id  = tencentcloud_cls_logset.relock.id
  period     = 180 # days
}

locals {
  # The fields that SCF writes: https://cloud.tencent.com/document/product/583/60336.
  platform_fields = {
    SCF_FunctionName = "text", SCF_Namespace = "text", SCF_StartTime = "long", SCF_LogTime = "long", SCF_RequestId = "text",
    SCF_Duration     = "long", SCF_Alias = "text", SCF_Qualifier = "text", SCF_MemUsage = "double", SCF_Level = "text",
    SCF_Message      = "text", SCF_Type = "text", SCF_StatusCode = "long", SCF_RetryNum = "long",
  }

  # The first level of relock's own lines: https://cloud.tencent.com/document/product/583/18032.
  relock_fields = {
    level      = "text", msg = "text", secret = "text", action = "text", outcome = "text", why = "text", machine = "text", region = "text",
    generation = "long", pendingSeconds = "double",
  }

  # SCF_StatusCode: https://cloud.tencent.com/document/product/583/42611. 429 and 432 are events that wait for their turn.
  alarms = {
    failed = {
      query   = "outcome:\"failed\" OR outcome:\"partial\" OR (SCF_StatusCode:>=400 AND NOT SCF_StatusCode:429 AND NOT SCF_StatusCode:432)"
      minutes = 20, repeat = 60, condition = "$1.n > 0"
    }
    overdue = {
      query   = "msg:\"relock.report\" AND pendingSeconds:>86400"
      minutes = 20, repeat = 1440, condition = "$1.n > 0"
    }
    drift = {
      query   = "msg:\"relock.drift\""
      minutes = 20, repeat = 1440, condition = "$1.n > 0"
    }
    silent = {
      query   = "msg:\"relock.report\""
      minutes = 60, repeat = 1440, condition = "$1.n = 0"
    }
  }
}

resource "tencentcloud_cls_index" "relock" {
  topic_id = tencentcloud_cls_topic.relock.id

  rule {
    full_text {
      case_sensitive = true
      contain_z_h    = true
      tokenizer      = "@&?|#()='\",;:<>[]{}/ \n\t\r\\"
    }

    key_value {
      case_sensitive = true

      dynamic "key_values" {
        for_each = merge(local.platform_fields, local.relock_fields)

        content {
          key = key_values.key

          value {
            type        = key_values.value
            sql_flag    = true
            contain_z_h = key_values.value == "text"
            tokenizer   = key_values.value == "text" ? "@&?|#()='\",;:<>[]{}/ \n\t\r\\" : ""
          }
        }
      }
    }
  }
}

resource "tencentcloud_cls_alarm_notice" "relock" {
  name = local.function
  type = "All"

  notice_receivers {
    receiver_type     = "Uin"
    receiver_ids      = var.alarm_uins
    receiver_channels = ["Email", "Sms"]
  }
}

resource "tencentcloud_cls_alarm" "relock" {
  for_each = local.alarms

  name             = "${local.function} ${each.key}"
  condition        = each.value.condition
  alarm_notice_ids = [tencentcloud_cls_alarm_notice.relock.id]
  alarm_period     = each.value.repeat
  trigger_count    = 1
  status           = var.timers || each.key != "silent"

  alarm_targets {
    logset_id         = tencentcloud_cls_logset.relock.id
    topic_id          = tencentcloud_cls_topic.relock.id
    number            = 1
    query             = "${each.value.query} | select count(*) as n"
    syntax_rule       = 1
    start_time_offset = -each.value.minutes
    end_time_offset   = 0
  }

  monitor_time {
    type = "Period"
    time = 15
  }

  depends_on = [tencentcloud_cls_index.relock]
}
