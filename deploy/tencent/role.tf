resource "tencentcloud_cam_role" "relock" {
  name        = local.function
  description = "What the function ${local.function} may do"

  document = jsonencode({
    version = "2.0"
    statement = [{
      action    = ["name/sts:AssumeRole"]
      effect    = "allow"
      principal = { service = ["scf.qcloud.com"] }
    }]
  })
}

# The actions that relock calls and no other, on machines with the fleet's tag and on the one secret: policy.json.
resource "tencentcloud_cam_policy" "relock" {
  name        = local.function
  description = "Rotate the administrator passwords of the fleet ${var.name}"
  document    = module.settings.policy
}

resource "tencentcloud_cam_role_policy_attachment" "relock" {
  role_id   = tencentcloud_cam_role.relock.id
  policy_id = tencentcloud_cam_policy.relock.id
}
