terraform {
  required_version = ">= 1.5"

  required_providers {
    tencentcloud = {
      source  = "tencentcloudstack/tencentcloud"
      version = "~> 1.83, >= 1.83.21" # has tencentcloud_scf_trigger
    }
  }
}

# The keys come from TENCENTCLOUD_SECRET_ID and TENCENTCLOUD_SECRET_KEY. The function is where its secret is.
provider "tencentcloud" {
  region = module.settings.region
  domain = lookup(module.settings.environment, "RELOCK_TENCENT_SITE", "cn") == "intl" ? "intl.tencentcloudapi.com" : "tencentcloudapi.com"
}
