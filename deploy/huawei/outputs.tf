output "function" {
  description = "The function's URN."
  value       = huaweicloud_fgs_function.relock.urn
}
