# What a fleet's env file says, as Terraform needs it. It has no provider: it can be tried without an account.

variable "env_file" {
  description = "The fleet's env file, as `relock --env-file` reads it."
  type        = string
}

variable "uin" {
  description = "The account's uin: that of the main account, which owns the machines and the secret."
  type        = string
}

variable "creator_uin" {
  description = "The uin of whoever creates the secret: it is part of the secret's name in policies."
  type        = string
}

locals {
  # A line is NAME=value, perhaps after export. A value is in single quotes, in double quotes, or ends at a space.
  lines = [
    for line in split("\n", replace(file(var.env_file), "\r", "")) :
    regex("^\\s*(?:export\\s+)?(?P<name>RELOCK_[A-Z0-9_]+)\\s*=\\s*(?:'(?P<single>[^']*)'|\"(?P<double>[^\"]*)\"|(?P<bare>[^\\s'\"#][^\\s'\"]*(?: +[^\\s'\"#][^\\s'\"]*)*))?\\s*(?:#.*)?$", line)
    if !can(regex("^\\s*(?:#.*)?$", line))
  ]
  values = { for line in local.lines : line.name => trimspace(join("", [for v in [line.single, line.double, line.bare] : v if v != null])) }
  set    = { for name, value in local.values : name => value if value != "" }

  secret       = lookup(local.set, "RELOCK_SECRET", "")
  credentials  = lookup(local.set, "RELOCK_CREDENTIALS_SECRET", "")
  regions      = compact([for r in split(",", lookup(local.set, "RELOCK_REGIONS", "")) : trimspace(r)])
  store_region = lookup(local.set, "RELOCK_STORE_REGION", try(local.regions[0], ""))

  # Machines in another cloud are nothing that a role of this one may do anything with.
  fleet = lookup(local.set, "RELOCK_FLEET", "tencent")
  store = lookup(local.set, "RELOCK_STORE", local.fleet)
  own   = local.fleet == "tencent"

  # The policy is limited by the first key of RELOCK_TAGS and its values; relock itself holds all of them.
  first_tag = try(regex("^([^@=*,|]+)=([^@=*,]+)(?:,|$)", lookup(local.set, "RELOCK_TAGS", "")), ["", ""])
  tags      = [for value in compact(split("|", local.first_tag[1])) : "${trimspace(local.first_tag[0])}&${trimspace(value)}"]

  # The keys of another cloud, where they are kept in a secret: the role may read that one, and do nothing else with it.
  reading = local.credentials == "" ? [] : [jsonencode(jsondecode(templatefile("${path.module}/../policy-credentials.json", {
    uin                = var.uin
    creator_uin        = var.creator_uin
    store_region       = local.store_region
    credentials_secret = local.credentials
  })))]

  # The policy's template names one region and one tag: it is made for each of them, and what comes twice counts once.
  statements = distinct(flatten([for region in local.own ? local.regions : [""] : [for tag in local.own ? local.tags : [""] : [
    for statement in jsondecode(templatefile("${path.module}/../policy.json", {
      region       = region
      tag          = tag
      uin          = var.uin
      creator_uin  = var.creator_uin
      store_region = local.store_region
      secret       = local.secret
    })).statement : jsonencode(statement) if local.own || startswith(statement.action[0], "ssm:")
  ]]]))
}

output "environment" {
  description = "The function's variables."
  value       = local.set

  precondition {
    condition     = length(join("", [for name, value in local.set : "${name}${value}"])) <= 4096
    error_message = "A function's variables have 4 KB together: https://www.tencentcloud.com/document/product/583/11637. Put long lists into files beside the binary (@FILE)."
  }
}

output "secret" {
  value = local.secret

  precondition {
    condition     = local.secret != "" && length(local.regions) > 0
    error_message = "RELOCK_SECRET and RELOCK_REGIONS have to be set. What else is wrong with the file, says: relock config -e FILE"
  }

  precondition {
    condition     = local.store == "tencent" && (local.own || lookup(local.set, "RELOCK_STORE_REGION", "") != "")
    error_message = "The secret is made here, and the function beside it: with machines in another cloud set RELOCK_STORE=tencent and RELOCK_STORE_REGION. With the secret elsewhere, make the function by hand."
  }
}

output "region" {
  description = "Where the secret is, and the function."
  value       = local.store_region
}

output "policy" {
  description = "The role's permissions."
  value       = jsonencode({ version = "2.0", statement = [for s in concat(local.statements, local.reading) : jsondecode(s)] })

  precondition {
    condition     = length(local.tags) > 0 || !local.own
    error_message = "RELOCK_TAGS has to begin with a key and its values in the file itself, such as rotate=yes: the role's permissions are limited to machines with that tag."
  }
}
