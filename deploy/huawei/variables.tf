variable "name" {
  description = "The fleet's name: the function and the agency are called relock-NAME."
  type        = string

  validation {
    condition     = can(regex("^[a-z][a-z0-9-]{0,39}$", var.name))
    error_message = "Use 1 to 40 lower case letters, digits and -, the first a letter."
  }
}

variable "region" {
  description = "The region of the function and of the secret."
  type        = string
}

variable "projects" {
  description = "The names of the projects, which are those of the regions, whose machines the fleet has: [\"cn-north-4\"]."
  type        = list(string)
}

variable "environment" {
  description = "The fleet's file, as relock reads it with --env-file, as a map: every value a text. All together at most 4,096 characters."
  type        = map(string)

  validation {
    condition     = alltrue([for key in keys(var.environment) : startswith(key, "RELOCK_")])
    error_message = "Only variables that begin with RELOCK_: keys come from the agency."
  }

  validation {
    condition     = alltrue([for key in ["RELOCK_SECRET", "RELOCK_REGIONS", "RELOCK_TAGS", "RELOCK_HUAWEI_PROJECTS"] : contains(keys(var.environment), key)])
    error_message = "RELOCK_SECRET, RELOCK_REGIONS, RELOCK_TAGS and RELOCK_HUAWEI_PROJECTS have to be there."
  }

  validation {
    condition     = length(jsonencode(var.environment)) <= 4096
    error_message = "The variables of a function have 4,096 characters together: put long lists into a file beside the bootstrap."
  }
}

variable "package" {
  description = "The function's package: a ZIP with the file bootstrap in its root."
  type        = string
}

variable "rotate_schedule" {
  description = "When a rotation begins: seconds, minutes, hours, day, month, weekday."
  type        = string
  default     = "0 0 18 1 * ?"
}

variable "reconcile_schedule" {
  description = "When stragglers and newcomers are brought to the current password."
  type        = string
  default     = "0 30 17 * * ?"
}

variable "timers" {
  description = "Whether the timers run."
  type        = bool
  default     = true
}

variable "vpc_id" {
  description = "The network from which machines are logged in to at their private addresses; null means none."
  type        = string
  default     = null
}

variable "subnet_id" {
  description = "The subnet of vpc_id; null means none."
  type        = string
  default     = null
}

variable "alarm_emails" {
  description = "Who gets the alarms: mail addresses. Each is asked by mail whether it wants them."
  type        = list(string)
}

variable "alarm_user" {
  description = "The IAM user in whose name LTS sends alarms, such as the one who applies this."
  type        = string
}
