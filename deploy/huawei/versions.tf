terraform {
  required_version = ">= 1.5"

  required_providers {
    huaweicloud = {
      source  = "huaweicloud/huaweicloud"
      version = ">= 1.70.0"
    }
  }
}

# The keys come from HW_ACCESS_KEY and HW_SECRET_KEY. The function is where its secret is.
provider "huaweicloud" {
  region = var.region
}
