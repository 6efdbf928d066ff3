// A step of a Jenkins shared library: asks Surety for the verdict on a release, goes on, aborts, or waits for a person, and tells
// Surety what was done and who chose. gate.sh stands in the library's resources/ folder.
//
//   suretyGate(service: 'transfer', version: '2.14.0', environment: 'prod', url: 'http://surety:8080',
//              credentialsId: 'surety-gate', waitSeconds: 1800)
//
// Nothing but sh, input and error is called, so that it runs in a sandboxed pipeline.

def call(Map args) {
  for (name in ['service', 'version', 'url']) {
    if (!args[name]) error("suretyGate: ${name} is not given")
  }
  writeFile(file: '.surety-gate.sh', text: libraryResource('gate.sh'))
  def settings = [
    "SURETY_URL=${args.url}",
    "SERVICE=${args.service}",
    "VERSION=${args.version}",
    "ENVIRONMENT=${args.environment ?: ''}",
    "GATE_WAIT_SECONDS=${args.waitSeconds ?: 1800}",
    'GATE_SOURCE=/gates/jenkins',
  ]
  withEnv(settings) {
    withOptionalToken(args.credentialsId) {
      def code = sh(returnStatus: true, script: 'sh .surety-gate.sh ask')
      if (code == 0) {
        acted('promoted', 'jenkins', 'not worse')
      } else if (code == 1) {
        acted('aborted', 'jenkins', 'worse, technical')
        error("Surety: ${args.service} ${args.version} is worse; taken no further")
      } else {
        choose(args)
      }
    }
  }
}

/** Business fault, or it cannot be told yet: a person chooses. */
def choose(Map args) {
  acted('paused', 'jenkins', 'a person decides')
  def said = input(
    message: "Surety cannot decide about ${args.service} ${args.version} by itself. ${args.url}",
    parameters: [
      choice(name: 'WHAT', choices: ['aborted', 'promoted'], description: 'What is done with the release'),
      string(name: 'REASON', defaultValue: '', description: 'Stands in the ledger'),
    ],
    submitterParameter: 'BY',
    submitter: args.submitter ?: ''
  )
  acted(said.WHAT, said.BY, said.REASON)
  if (said.WHAT == 'aborted') error("${said.BY} aborted ${args.service} ${args.version}: ${said.REASON}")
}

/** What people typed goes by the environment, never into the script's text. */
def acted(String what, String by, String reason) {
  withEnv(["GATE_WHAT=${what}", "GATE_BY=${by}", "GATE_REASON=${reason}"]) {
    sh(script: 'sh .surety-gate.sh acted "$GATE_WHAT" "$GATE_BY" "$GATE_REASON" || true')
  }
}

def withOptionalToken(String credentialsId, Closure body) {
  if (!credentialsId) return body()
  withCredentials([string(credentialsId: credentialsId, variable: 'SURETY_TOKEN')]) { body() }
}
