package tencentsim

import (
	"cmp"
	"time"

	"github.com/relock-project/relock/rotation/simcloud"
)

// What a Config means by default, and what the demo is made of.
const (
	// DemoSecretID and DemoSecretKey are the credentials accepted when Config names none.
	DemoSecretID  = "AKIDtencentsimdemo00000000000000000000"
	DemoSecretKey = "tencentsimdemosecretkey0000000000"
	// DemoSecret is the secret that exists from the start, in the first region, with one version, DemoVersion:
	// a JSON object with an empty username and BaselinePassword.
	DemoSecret  = "cvm-admin-demo"
	DemoVersion = "current"
	// BaselinePassword is what every machine begins with. It obeys the rules of 2018 and of 2025, for both systems.
	BaselinePassword = "Baseline.2024-Ab"
	// FleetTagKey and FleetTagValue are on every machine that Config.Instances makes.
	FleetTagKey   = "rotate"
	FleetTagValue = "yes"
)

// Config is what the cloud is like. The zero Config is an empty cloud in two regions.
type Config struct {
	// Regions that exist. Empty means ap-guangzhou and ap-shanghai.
	Regions []string
	// Instances is how many machines there are at first, spread over the regions. Zero means none: use Add.
	Instances int
	// KeyPairs is how many of them are bound to a key pair, which turns password login off. They are Linux machines
	// that can be reset; when there are fewer, all of those. Zero means none.
	KeyPairs int
	// Seed is what everything random is drawn from, the SSH host keys and their authority included.
	Seed uint64
	// SecretID and SecretKey are the credentials accepted. Empty means DemoSecretID and DemoSecretKey.
	SecretID, SecretKey string
	// Token is the session token that every request must carry. Empty means that none is required.
	Token string
	// Scale multiplies the time that operations take: at 1 a reset takes about a second, a stop or a start about
	// two. Zero means 0.001. Rate limits and signatures are not scaled.
	Scale float64
	// Visible is how long after acceptance, before Scale, DescribeInstances goes on telling of the operation
	// before. Zero means 300ms; negative means at once.
	Visible time.Duration
	// Rates multiplies every documented request rate. Zero means 1.
	Rates float64
	// SSH makes Linux machines answer SSH, each on its own port of 127.0.0.1.
	SSH bool
	// Faults are the probabilities of what goes wrong. Nil means nothing does.
	Faults Faults
	// Answers are the answers to what the documents leave open.
	Answers Answers
	// Now is the only clock of operations, limits and signatures. Nil means time.Now.
	Now func() time.Time
}

// Answers are the documents' open questions. A field that is false is the answer that the evidence favours; code that
// drives Tencent Cloud has to hold under either.
type Answers struct {
	// StaysStoppedAfterForceStop leaves a machine that a reset with ForceStop shut down stopped. The documents do
	// not say; Terraform's provider relies on its running again.
	StaysStoppedAfterForceStop bool
	// PartialAcceptance lets the machines before the first bad one have their effect although the whole request is
	// refused. It counts for operations on machines and for tags.
	PartialAcceptance bool
	// RequestIDsDiffer makes LatestOperationRequestId another id than the RequestId that the operation answered.
	RequestIDsDiffer bool
	// MessagesOmitIDs makes refusals not name the machines that caused them.
	MessagesOmitIDs bool
	// UnknownIDsAreErrors makes DescribeInstances refuse ids that do not exist instead of leaving them out.
	UnknownIDsAreErrors bool
	// SoftStopNeverGivesUp leaves a machine that ignores a soft stop in STOPPING for ever. Otherwise the stop ends
	// FAILED after a while and the machine is RUNNING again.
	SoftStopNeverGivesUp bool
	// ResetKeepsPasswordLoginOff leaves password login off on machines bound to a key pair, whatever password they have.
	ResetKeepsPasswordLoginOff bool
	// AttachReplaces makes AttachResourcesTag change the value of a key that is attached already instead of failing
	// with ResourceInUse.TagKeyAttached.
	AttachReplaces bool
	// AttachEqualFails makes AttachResourcesTag fail even when the key is attached with the same value.
	AttachEqualFails bool
	// ModifyAttaches makes ModifyResourcesTagValue attach a key that is absent instead of failing with
	// ResourceNotFound.AttachedTagKeyNotFound.
	ModifyAttaches bool
	// TagsMustExist refuses a key and value that no machine has had yet, and that CreateTag did not create, with
	// ResourceNotFound.TagNonExist.
	TagsMustExist bool
	// TagsCheckMachines refuses tags for a machine that does not exist. Users report that the tag service does not
	// look: https://github.com/cloud-barista/cb-spider/issues/1247.
	TagsCheckMachines bool
	// TagsVisibleLate makes DescribeInstances see a changed tag only after Config.Visible.
	TagsVisibleLate bool
}

// defaulted returns cfg with its zero values replaced, or what is wrong with it.
func (cfg Config) defaulted() (Config, error) {
	c, err := simcloud.Common{Regions: cfg.Regions, Instances: cfg.Instances, KeyPairs: cfg.KeyPairs, Scale: cfg.Scale,
		Visible: cfg.Visible, Rates: cfg.Rates, Now: cfg.Now}.Defaulted("ap-guangzhou", "ap-shanghai")
	if err != nil {
		return cfg, err
	}
	cfg.Regions, cfg.Scale, cfg.Visible, cfg.Rates, cfg.Now = c.Regions, c.Scale, c.Visible, c.Rates, c.Now
	cfg.SecretID = cmp.Or(cfg.SecretID, DemoSecretID)
	cfg.SecretKey = cmp.Or(cfg.SecretKey, DemoSecretKey)
	return cfg, catalogue().Check(cfg.Faults)
}
