// A step of a shared library: dplLambda(command: 'plan', options: [function_name: 'orders', memory_size: 256]).
// Options go through variables, so that nothing in them is read by a shell. An image with a digest always is the same
// program.
def call(Map given = [:]) {
    def unknown = given.keySet() - ['command', 'image', 'options']
    if (unknown) {
        error("dplLambda has no parameter ${unknown.join(', ')}; it has command, image and options")
    }
    def variables = [PLUGIN_COMMAND: given.command ?: 'deploy']
    variables += (given.options ?: [:]).collectEntries { name, value -> ["DPL_LAMBDA_${name.toUpperCase()}", value] }
    // `withEnv` fills in `$NAME`, and reads `$$` as `$`.
    def settings = variables.collect { name, value -> "${name}=${value.toString().replace('$', '$$')}".toString() }
    docker.image(given.image ?: 'ghcr.io/dpl-lambda/dpl-lambda:0').inside('--entrypoint=') {
        withEnv(settings) {
            sh 'dpl-lambda'
        }
    }
}
