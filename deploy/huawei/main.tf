locals {
  function = "relock-${var.name}"
  runs     = var.timers ? "ACTIVE" : "DISABLED"

  timers = {
    rotate    = { type = "Cron", schedule = var.rotate_schedule, event = "{\"action\":\"rotate\"}" }
    resume    = { type = "Rate", schedule = "5m", event = "{\"action\":\"resume\"}" }
    reconcile = { type = "Cron", schedule = var.reconcile_schedule, event = "{\"action\":\"reconcile\"}" }
  }
}

# CSMS makes no secret without a version, and what stands here stands in the state: so this is no password. Store the one in
# force by hand, or let relock make the first. Without ignore_changes, Terraform would make this the current version again.
resource "huaweicloud_csms_secret" "fleet" {
  name        = var.environment["RELOCK_SECRET"]
  description = "Administrator passwords of the fleet ${var.name}, rotated by relock. Versions and labels are relock's own."
  secret_text = jsonencode({ username = "", password = "not set yet: store the password in force" })

  lifecycle {
    prevent_destroy = true # it holds every password that was ever sent to a machine
    ignore_changes  = [secret_text]
  }
}

resource "huaweicloud_fgs_function" "relock" {
  name                  = local.function
  app                   = "default"
  description           = "Rotates the administrator passwords of the fleet ${var.name}"
  functiongraph_version = "v2"
  runtime               = "Custom"
  handler               = "bootstrap"
  memory_size           = 256
  timeout               = 900
  code_type             = "zip"
  code_filename         = "relock.zip"
  func_code             = filebase64(var.package)
  agency                = huaweicloud_identity_agency.relock.name
  app_agency            = huaweicloud_identity_agency.relock.name
  user_data             = jsonencode(var.environment)
  max_instance_num      = "1" # one invocation at a time
  vpc_id                = var.vpc_id
  network_id            = var.subnet_id
  log_group_id          = huaweicloud_lts_group.relock.id
  log_group_name        = huaweicloud_lts_group.relock.group_name
  log_stream_id         = huaweicloud_lts_stream.relock.id
  log_stream_name       = huaweicloud_lts_stream.relock.stream_name

  depends_on = [huaweicloud_csms_secret.fleet]
}

# A rotation that failed is gone on with by the resume timer, not by the platform.
resource "huaweicloud_fgs_async_invoke_configuration" "once" {
  function_urn                   = huaweicloud_fgs_function.relock.urn
  max_async_event_age_in_seconds = 3600
  max_async_retry_attempts       = 0
}

resource "huaweicloud_fgs_function_trigger" "timer" {
  for_each = local.timers

  function_urn = huaweicloud_fgs_function.relock.urn
  type         = "TIMER"
  status       = local.runs
  event_data = jsonencode({
    name          = each.key
    schedule_type = each.value.type
    schedule      = each.value.schedule
    user_event    = each.value.event
  })

  # The first event is not to be tried again.
  depends_on = [huaweicloud_fgs_async_invoke_configuration.once]
}
