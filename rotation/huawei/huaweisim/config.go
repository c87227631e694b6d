package huaweisim

import (
	"cmp"
	"time"

	"github.com/relock-project/relock/rotation/simcloud"
)

// What a Config means by default, and what the demo is made of.
const (
	// DemoAccessKey and DemoSecretKey are the credentials accepted when Config names none.
	DemoAccessKey = "HUAWEISIMDEMO0000000"
	DemoSecretKey = "huaweisimdemosecretkey000000000000000000"
	// DemoSecret is the secret that exists from the start, in the first region, with one version, v1, at SYSCURRENT:
	// a JSON object with an empty username and BaselinePassword.
	DemoSecret = "ecs-admin-demo"
	// BaselinePassword is what every machine begins with. It obeys the rules for both systems.
	BaselinePassword = "Baseline.2024-Ab"
	// FleetTagKey and FleetTagValue are on every machine that Config.Instances makes.
	FleetTagKey   = "rotate"
	FleetTagValue = "yes"
	// PortTag is the key of the tag that says on which port a machine answers SSH: ECS itself does not tell.
	PortTag = "ssh-port"
)

// Config is what the cloud is like. The zero Config is an empty cloud in two regions.
type Config struct {
	// Regions that exist, each with one project. Empty means cn-north-4 and cn-east-3.
	Regions []string
	// Instances is how many machines there are at first, spread over the regions. Zero means none: use Add.
	Instances int
	// KeyPairs is how many of them are bound to a key pair, which turns password login off. They are Linux machines
	// that can be reset; when there are fewer, all of those. Zero means none.
	KeyPairs int
	// Seed is what everything random is drawn from, the SSH host keys and their authority included.
	Seed uint64
	// AccessKey and SecretKey are the credentials accepted. Empty means DemoAccessKey and DemoSecretKey.
	AccessKey, SecretKey string
	// Token is the security token that every request must carry. Empty means that none is required.
	Token string
	// Scale multiplies the time that operations take: at 1 a stop or a start takes about two seconds. Zero means 0.001.
	// Rate limits and signatures are not scaled.
	Scale float64
	// Visible is how long after acceptance, before Scale, lists go on telling of a machine as it was. Zero means 300ms;
	// negative means at once. Jobs are never late.
	Visible time.Duration
	// Rates multiplies every request rate. Zero means 1.
	Rates float64
	// SSH makes Linux machines answer SSH, each on its own port of 127.0.0.1, which its PortTag names.
	SSH bool
	// Faults are the probabilities of what goes wrong. Nil means nothing does.
	Faults Faults
	// Answers are the answers to what the documents leave open.
	Answers Answers
	// Now is the only clock of operations, limits and signatures. Nil means time.Now.
	Now func() time.Time
}

// Answers are the documents' open questions. A field that is false is the answer that the evidence favours; code that
// drives Huawei Cloud has to hold under either.
type Answers struct {
	// OthersNotReset refuses a whole batch reset when some of its machines are refused. Otherwise the machines that are
	// not in internalError are reset.
	OthersNotReset bool
	// RefusedAreOmitted answers a batch reset with HTTP 200 and without the ids that were refused, and names no reason.
	RefusedAreOmitted bool
	// DryRunChecksPlugin makes dry_run refuse a machine without the plug-in.
	DryRunChecksPlugin bool
	// StagedLate hands an accepted password to the machine only after a second (times Scale): a boot before that
	// still has the old one. The console speaks of minutes.
	StagedLate bool
	// PasswordLagsBoot shows a machine ACTIVE two seconds (times Scale) before the plug-in has set the password.
	PasswordLagsBoot bool
	// ResetKeepsPasswordLoginOff leaves password login off on machines bound to a key pair, whatever password they have.
	ResetKeepsPasswordLoginOff bool
	// ActionRefusesBatch refuses a whole start, stop or reboot when one of its machines cannot have it. Otherwise that
	// machine's sub-job fails.
	ActionRefusesBatch bool
	// IdleActionsSucceed makes starting what runs, and stopping what is stopped, a success without an effect.
	IdleActionsSucceed bool
	// SoftStopNeverGivesUp leaves a machine that ignores a soft stop or reboot in it for ever. Otherwise that fails after
	// a while and the machine is ACTIVE again.
	SoftStopNeverGivesUp bool
	// SoftRebootTurnsHard pulls the plug of a machine that ignores a soft reboot, as OpenStack does after a while.
	SoftRebootTurnsHard bool
	// TagValuesWithoutDots refuses a dot in a tag's value: the page names it once and leaves it out once.
	TagValuesWithoutDots bool
	// TagsVisibleLate makes lists see a changed tag only after Config.Visible.
	TagsVisibleLate bool
	// UnlabelledVanish deletes a version at the moment when it loses its last stage. Otherwise it goes when a secret has
	// 20 versions and needs room.
	UnlabelledVanish bool
	// PreviousFollows moves SYSPREVIOUS to the version that UpdateSecretStage, or a version created with SYSCURRENT
	// among its stages, takes SYSCURRENT from.
	PreviousFollows bool
	// MissingIs404 answers HTTP 404 instead of 400 when a secret, version or stage does not exist.
	MissingIs404 bool
}

// defaulted returns cfg with its zero values replaced, or what is wrong with it.
func (cfg Config) defaulted() (Config, error) {
	c, err := simcloud.Common{Regions: cfg.Regions, Instances: cfg.Instances, KeyPairs: cfg.KeyPairs, Scale: cfg.Scale,
		Visible: cfg.Visible, Rates: cfg.Rates, Now: cfg.Now}.Defaulted("cn-north-4", "cn-east-3")
	if err != nil {
		return cfg, err
	}
	cfg.Regions, cfg.Scale, cfg.Visible, cfg.Rates, cfg.Now = c.Regions, c.Scale, c.Visible, c.Rates, c.Now
	cfg.AccessKey = cmp.Or(cfg.AccessKey, DemoAccessKey)
	cfg.SecretKey = cmp.Or(cfg.SecretKey, DemoSecretKey)
	return cfg, catalogue().Check(cfg.Faults)
}
