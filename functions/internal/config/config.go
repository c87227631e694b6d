// Package config turns the environment into a wired rotation.Rotator. It is the only reader of the environment.
//
// Its one invariant: what is not understood is an error that names its variable, never a default. All faults are found
// at once, and none shows a credential.
package config

import (
	"fmt"
	"log/slog"
	"slices"

	"github.com/relock-project/relock/rotation"
	"github.com/relock-project/relock/rotation/sshlogin"
)

// prefix is that of every variable. An explicit name in an envconfig tag would also be looked up without it, so there is
// none: https://github.com/kelseyhightower/envconfig/issues/14.
const prefix = "RELOCK"

// A Config is one fleet's configuration, as it was written. Load makes it. Its tags are the documentation: desc is a
// variable's meaning, default what it is when it is unset or blank, absent says the default in words where it depends on
// something, oneof lists the values it may have, min and max bound numbers and durations, max is the length of a text.
type Config struct {
	Fleet       string `split_words:"true" default:"tencent" oneof:"tencent|huawei" desc:"The cloud of the machines."`
	Store       string `split_words:"true" absent:"RELOCK_FLEET" oneof:"tencent|huawei|aws" desc:"The secrets manager."`
	Secret      string `split_words:"true" absent:"required" max:"650" desc:"The name of the secret."`
	StoreRegion string `split_words:"true" absent:"the first of RELOCK_REGIONS; of a store in another cloud, the function's own region" desc:"The region of the secret."`

	CredentialsSecret string `split_words:"true" absent:"none: they are variables" max:"650" desc:"A secret with the keys of another cloud that a function needs, in its own cloud's secrets manager and its own region. Its fields are called what the variables are called: {\"HUAWEICLOUD_SDK_AK\":…,\"HUAWEICLOUD_SDK_SK\":…}."`

	Regions         List `split_words:"true" absent:"required; in a function, its own region" desc:"The regions of the machines: ap-guangzhou,ap-shanghai."`
	Instances       List `split_words:"true" absent:"required, unless RELOCK_TAGS is set" desc:"The ids of the machines, or @FILE. With RELOCK_TAGS, a machine has to match both."`
	Tags            Tags `split_words:"true" absent:"required, unless RELOCK_INSTANCES is set" desc:"The tags of the machines, or @FILE: rotate=yes,env=prod|staging. Every key must match, with one of its values; env=* is any value."`
	ExcludeTags     Tags `split_words:"true" absent:"none" desc:"Machines with any of these tags are left out. Written as RELOCK_TAGS is."`
	IncludeKeyPairs bool `split_words:"true" default:"false" desc:"Rotate machines that are bound to a key pair, too: a reset may re-enable their password login."`

	Username       string `split_words:"true" absent:"each machine's own administrator" max:"64" desc:"The account whose password is rotated."`
	PasswordLength Number `split_words:"true" absent:"24, or what the rules allow" desc:"Characters of a new password. What has less than 70 bits is refused."`
	PasswordRules  string `split_words:"true" absent:"the provider's in force" oneof:"tencent-2018" desc:"Older rules, for images that refuse more than 16 characters."`

	Restart        string `split_words:"true" default:"never" oneof:"never|graceful|force" desc:"What may be done to a running machine that has to go down: never holds it back, graceful shuts it down softly, force may lose its data."`
	BatchSize      Number `split_words:"true" absent:"the provider's limit" min:"1" max:"100" desc:"Machines per request."`
	Canary         Number `split_words:"true" default:"1" min:"0" max:"1000" desc:"Machines that are proven before the others are begun; 0 for none."`
	MaxUnavailable Share  `split_words:"true" default:"10" desc:"Machines that may be down at once, over all regions: a number, or a percentage such as 5%."`
	MaxExceptions  Number `split_words:"true" default:"0" min:"0" max:"100000" desc:"Machines that may stay behind when a password becomes current."`
	MaxAttempts    Number `split_words:"true" default:"3" min:"1" max:"3" desc:"How often one machine is stopped for one password."`
	Proof          string `split_words:"true" absent:"provider on Tencent, login on Huawei" oneof:"login|provider|accepted" desc:"What proves a machine: a login, the provider's record, or the provider's acceptance, which is reported as accepted, never as proven."`
	Window         Window `split_words:"true" absent:"always" desc:"When machines may be stopped: 02:00-05:00 Asia/Shanghai. It may cross midnight; without a zone it is UTC."`

	PollInterval    Duration `split_words:"true" default:"5s" min:"10ms" max:"5m" desc:"The time between two looks at what is under way."`
	Settle          Duration `split_words:"true" default:"8m" min:"20ms" max:"12h" desc:"How long before the function's deadline nothing new is begun. No less than RELOCK_SOFT_STOP_TIMEOUT when machines may be stopped."`
	SoftStopTimeout Duration `split_words:"true" default:"5m" min:"10ms" max:"1h" desc:"How long a machine may take to shut down."`
	ResetTimeout    Duration `split_words:"true" default:"3m" min:"10ms" max:"1h" desc:"How long the provider may leave a reset unsettled before the same password is sent again."`
	StartTimeout    Duration `split_words:"true" default:"5m" min:"10ms" max:"1h" desc:"How long a machine may take to start before that is a failure."`
	LoginTimeout    Duration `split_words:"true" default:"2m" min:"10ms" max:"1h" desc:"How long after its start a machine may refuse logins or not answer."`
	DryRun          bool     `split_words:"true" default:"false" desc:"Send nothing and store nothing, whatever is asked."`

	SSHKnownHosts    string `split_words:"true" absent:"none: no login is tried" max:"4096" desc:"The machines' SSH host keys: a known_hosts file, or one line such as @cert-authority * ssh-ed25519 AAAA…"`
	SSHAllowLoopback bool   `split_words:"true" default:"false" desc:"Log in to loopback addresses, where simulated machines are."`

	TencentSite     string `split_words:"true" default:"cn" oneof:"cn|intl" desc:"Tencent Cloud's API hosts: of China, or international."`
	TencentEndpoint string `split_words:"true" absent:"the hosts of RELOCK_TENCENT_SITE" max:"255" desc:"One host for all of Tencent Cloud's APIs, for a simulator or a proxy: https://HOST; plain http on a loopback address only."`

	HuaweiProjects  Projects `split_words:"true" absent:"in a function, its own project, when there is one region" desc:"The ids of Huawei Cloud's projects, one for each region: cn-north-4=0123456789abcdef0123456789abcdef."`
	HuaweiEndpoint  string   `split_words:"true" absent:"the regions' own hosts" max:"255" desc:"One host for all of Huawei Cloud's APIs, for a simulator or a proxy: https://HOST; plain http on a loopback address only."`
	HuaweiBootDelay Duration `split_words:"true" default:"10s" min:"10ms" max:"10m" desc:"How long an accepted reset is left alone before the machine is restarted for it: it has to reach the machine first, and Huawei Cloud does not say when it has."`

	AWSEndpoint string `split_words:"true" absent:"the official host of RELOCK_STORE_REGION" max:"255" desc:"The host of AWS Secrets Manager, for a VPC endpoint or a simulator: https://HOST; plain http on a loopback address only."`

	LogLevel string `split_words:"true" default:"info" oneof:"debug|info|warn|error" desc:"The least level that is logged."`

	platform Platform
	kept     map[string]credentials // of RELOCK_CREDENTIALS_SECRET, by cloud
	given    credentials            // what the platform gave with the event; nil for none
	source   source
	folder   string            // where relative files are
	settled  map[string]origin // what was unset and is no constant: by variable
	hostKeys *sshlogin.HostKeys
	faults   faults
	warnings []string
}

// origin is a value as it was found, and where.
type origin struct{ text, from string }

// Warnings are what is probably a slip and yet allowed, a line each.
func (c *Config) Warnings() []string { return slices.Clone(c.warnings) }

func (c *Config) warn(name, format string, args ...any) {
	c.warnings = append(c.warnings, name+": "+fmt.Sprintf(format, args...))
}

// Level is RELOCK_LOG_LEVEL.
func (c *Config) Level() slog.Level {
	var l slog.Level
	if err := l.UnmarshalText([]byte(c.LogLevel)); err != nil {
		return slog.LevelInfo
	}
	return l
}

func (c *Config) scope() rotation.Selector {
	return rotation.Selector{IDs: c.Instances, Tags: c.Tags, ExcludeTags: c.ExcludeTags}
}

func (c *Config) policy() rotation.Policy {
	canary := int(c.Canary)
	if canary == 0 {
		canary = -1
	}
	return rotation.Policy{
		Restart:         rotation.Restart(c.Restart),
		Proof:           rotation.Proof(c.Proof),
		Canary:          canary,
		MaxUnavailable:  c.MaxUnavailable.Share,
		MaxExceptions:   int(c.MaxExceptions),
		IncludeKeyPairs: c.IncludeKeyPairs,
		MaxAttempts:     int(c.MaxAttempts),
		BatchSize:       int(c.BatchSize),
		PollInterval:    c.PollInterval.Duration,
		Settle:          c.Settle.Duration,
		SoftStopTimeout: c.SoftStopTimeout.Duration,
		ResetTimeout:    c.ResetTimeout.Duration,
		StartTimeout:    c.StartTimeout.Duration,
		LoginTimeout:    c.LoginTimeout.Duration,
		Window:          c.Window.Window,
	}
}
