variable "env_file" {
  description = "The fleet's env file: exactly the function's variables, the file that `relock --env-file` reads."
  type        = string
}

variable "name" {
  description = "The fleet's name: letters, digits and dashes. All that is made here is named relock-NAME."
  type        = string

  validation {
    condition     = can(regex("^[a-z0-9][a-z0-9-]{0,39}[a-z0-9]$", var.name))
    error_message = "2 to 41 lower-case letters, digits and dashes."
  }
}

variable "uin" {
  description = "The uin of the main account."
  type        = string
}

variable "creator_uin" {
  description = "The uin of the user who applies this, and thereby creates the secret. Empty means the main account."
  type        = string
  default     = ""
}

variable "package" {
  description = "The zip that `make package` wrote. Beside it is a copy whose name holds its checksum."
  type        = string
  default     = "../../dist/relock-scf-amd64.zip"
}

variable "timers" {
  description = "Whether the timers fire. Apply with false first, and with true after the first rotation by hand."
  type        = bool
  default     = true
}

variable "rotate_cron" {
  description = "When to rotate: second minute hour day month weekday year. https://www.tencentcloud.com/document/product/583/9708"
  type        = string
  default     = "0 0 3 1 * * *"
}

variable "reconcile_cron" {
  description = "When to bring stragglers, newcomers and drifted machines to the current password."
  type        = string
  default     = "0 30 5 * * * *"
}

variable "vpc_id" {
  description = "The VPC of the machines, for logins to their private addresses. Null means none: the function reaches public ones only."
  type        = string
  default     = null
}

variable "subnet_id" {
  description = "A subnet of vpc_id, which the function's own address is from. Null means none."
  type        = string
  default     = null
}

variable "alarm_uins" {
  description = "The uins of those who get the alarms, by mail and text message."
  type        = list(number)
}
