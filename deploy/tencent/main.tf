module "settings" {
  source      = "./settings"
  env_file    = var.env_file
  uin         = var.uin
  creator_uin = coalesce(var.creator_uin, var.uin)
}

locals {
  function = "relock-${var.name}"
  memory   = 128

  # The provider sends the code again only when the path changes: so it is the copy that is named after its contents.
  package = replace(var.package, ".zip", "-${substr(filesha256(var.package), 0, 12)}.zip")

  timers = {
    rotate    = { cron = var.rotate_cron, argument = "{\"action\":\"rotate\"}" }
    resume    = { cron = "0 */5 * * * * *", argument = "{\"action\":\"resume\"}" }
    reconcile = { cron = var.reconcile_cron, argument = "{\"action\":\"reconcile\"}" }
  }
}

# Terraform makes the secret, and never a version of it: a version would be in the state. Without any, relock makes the first.
resource "tencentcloud_ssm_secret" "fleet" {
  secret_name             = module.settings.secret
  description             = "Administrator passwords of the fleet ${var.name}, rotated by relock. Versions are relock's own."
  recovery_window_in_days = 30

  lifecycle {
    prevent_destroy = true # it holds every password that was ever sent to a machine
  }
}

resource "tencentcloud_scf_function" "relock" {
  name              = local.function
  description       = "Rotates the administrator passwords of the fleet ${var.name}"
  handler           = "main"
  runtime           = "Go1"
  zip_file          = local.package
  mem_size          = local.memory
  timeout           = 900
  role              = tencentcloud_cam_role.relock.name
  environment       = module.settings.environment
  enable_public_net = true # the APIs are public
  vpc_id            = var.vpc_id
  subnet_id         = var.subnet_id
  cls_logset_id     = tencentcloud_cls_logset.relock.id
  cls_topic_id      = tencentcloud_cls_topic.relock.id

  depends_on = [tencentcloud_cam_role_policy_attachment.relock, tencentcloud_ssm_secret.fleet]
}

resource "tencentcloud_scf_trigger" "timer" {
  for_each = local.timers

  function_name   = tencentcloud_scf_function.relock.name
  namespace       = "default"
  trigger_name    = each.key
  type            = "timer"
  trigger_desc    = each.value.cron
  custom_argument = each.value.argument
  qualifier       = "$DEFAULT"
  enable          = var.timers ? "OPEN" : "CLOSE"

  # The first event is not to come while a second one could run beside it, or be tried again.
  depends_on = [tencentcloud_scf_reserved_concurrency_config.one, tencentcloud_scf_function_event_invoke_config.once]
}

# One invocation at a time: an instance of an event function takes one event, and this is the memory of one instance. Events
# that find it busy are tried again every minute: https://cloud.tencent.com/document/product/583/41138.
resource "tencentcloud_scf_reserved_concurrency_config" "one" {
  function_name            = tencentcloud_scf_function.relock.name
  reserved_concurrency_mem = local.memory
}

# A rotation that failed is gone on with by the resume timer, not by the platform, which would try twice more.
resource "tencentcloud_scf_function_event_invoke_config" "once" {
  function_name = tencentcloud_scf_function.relock.name

  async_trigger_config {
    msg_ttl = 3600 # seconds for which an event waits for its turn

    retry_config {
      retry_num = 0
    }
  }
}
