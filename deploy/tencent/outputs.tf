output "function" {
  value = tencentcloud_scf_function.relock.name
}

output "secret" {
  value = tencentcloud_ssm_secret.fleet.secret_name
}

output "region" {
  value = module.settings.region
}

output "policy" {
  value = module.settings.policy
}
