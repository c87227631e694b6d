# The actions that relock calls and no other: policy.json.
resource "huaweicloud_identity_role" "relock" {
  name        = local.function
  description = "Rotate the administrator passwords of the fleet ${var.name}"
  type        = "XA"
  policy      = file("${path.module}/policy.json")
}

# Its credentials come with every event, and last for 24 hours at most.
resource "huaweicloud_identity_agency" "relock" {
  name                   = local.function
  description            = "What the function ${local.function} may do"
  delegated_service_name = "op_svc_cff"

  dynamic "project_role" {
    for_each = toset(concat(var.projects, [var.region]))

    content {
      project = project_role.value
      roles   = [huaweicloud_identity_role.relock.name]
    }
  }
}
