package rotation

const (
	lowerLetters = "abcdefghijklmnopqrstuvwxyz"
	upperLetters = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
	digits       = "0123456789"
	alphanumeric = lowerLetters + upperLetters + digits
)

const (
	// The page prints a space in the list for Windows, between ' and <, and none in the one for Linux. A space is
	// taken for a slip: leaving it out is right either way. Neither list has " or \.
	tencentSpecials = "()`~!@#$%^&*-+=_|{}[]:;'<>,.?/"
	// The page of 2018 has no backtick.
	tencentSpecials2018 = "()~!@#$%^&*-+=_|{}[]:;'<>,.?/"
	huaweiSpecials      = "!@%-_=+[]:./?"

	tencentSource     = "https://www.tencentcloud.com/document/product/213/33240, of 2025-12-17"
	tencentSource2018 = "https://www.tencentcloud.com/document/product/213/33240, of 2018-10-12"
	huaweiSource      = "https://support.huaweicloud.com/intl/en-us/api-ecs/ecs_02_0306.html, of 2024-07-16"
)

// threeOfFour is the mix that all current rules have.
func threeOfFour() []Mix { return []Mix{{Least: 3, Groups: allClasses.split()}} }

// administrators are the accounts that public images come with. Rules about user names refuse all of them: which one a
// machine has is often known too late, and one password may be for several machines.
func administrators() []string { return []string{"Administrator", "root", "ubuntu"} }

// TencentLinux is what Tencent Cloud accepts for a Linux CVM.
func TencentLinux() *Rules {
	return &Rules{
		Name: "Tencent Linux", Source: tencentSource,
		MinLength: 8, MaxLength: 30,
		Characters: alphanumeric + tencentSpecials, NotFirst: "/",
		Mixes: threeOfFour(),
	}
}

// TencentWindows is what Tencent Cloud accepts for a Windows CVM, and for a batch of both systems.
func TencentWindows() *Rules {
	return &Rules{
		Name: "Tencent Windows", Source: tencentSource,
		MinLength: 12, MaxLength: 30,
		Characters: alphanumeric + tencentSpecials, NotFirst: "/",
		Mixes: threeOfFour(),
		Bans:  []Ban{{Words: administrators()}},
	}
}

// TencentLinux2018 is what Tencent Cloud accepted for a Linux CVM in 2018; images of that age still refuse more than 16
// characters. It counts letters of both cases as one kind.
func TencentLinux2018() *Rules {
	return &Rules{
		Name: "Tencent Linux 2018", Source: tencentSource2018,
		MinLength: 8, MaxLength: 16,
		Characters: alphanumeric + tencentSpecials2018, NotFirst: "/",
		Mixes: []Mix{{Least: 2, Groups: []Class{Lower | Upper, Digit, Special}}},
	}
}

// TencentWindows2018 is what Tencent Cloud accepted for a Windows CVM in 2018. The page said nothing of user names.
func TencentWindows2018() *Rules {
	return &Rules{
		Name: "Tencent Windows 2018", Source: tencentSource2018,
		MinLength: 12, MaxLength: 16,
		Characters: alphanumeric + tencentSpecials2018, NotFirst: "/",
		Mixes: threeOfFour(),
	}
}

// HuaweiLinux is what Huawei Cloud accepts for a Linux ECS.
//
// The page refuses three characters in a row of the user name for Windows only. The description of the same request in
// Huawei's SDK refuses those of Administrator without naming a system
// (https://github.com/huaweicloud/huaweicloud-sdk-go-v3, services/ecs/v2/model, BatchResetServersPasswordRequestBody).
// So Linux has them too: a password is to pass whichever of the two is enforced.
func HuaweiLinux() *Rules { return huawei("Huawei Linux") }

// HuaweiWindows is what Huawei Cloud accepts for a Windows ECS.
func HuaweiWindows() *Rules { return huawei("Huawei Windows") }

func huawei(name string) *Rules {
	return &Rules{
		Name: name, Source: huaweiSource,
		MinLength: 8, MaxLength: 26,
		Characters: alphanumeric + huaweiSpecials,
		Mixes:      threeOfFour(),
		Bans:       []Ban{{Words: administrators(), Backwards: true, Run: 3}},
	}
}
